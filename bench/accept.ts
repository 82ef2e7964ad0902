import type { Benchmark, Findings, Settings } from "./support/benchmark.ts";
import { contest, each } from "./support/contest.ts";
import {
  echo,
  fastifyBullmq,
  koaInsert,
  type Server,
  type ServerKind,
  silentSluice,
  sluiceKind,
  sluiceWithKeys,
  type Turn,
  withServers,
} from "./support/servers.ts";
import { ratio, spread } from "./support/statistics.ts";
import { figure, spreadText, type Table } from "./support/table.ts";

const kinds = [sluiceKind, silentSluice, sluiceWithKeys, echo, fastifyBullmq, koaInsert];
const peers = [echo, fastifyBullmq, koaInsert];

/** Turns of each contestant, by the number of connections. */
type Measured = ReadonlyMap<number, ReadonlyMap<string, Turn[]>>;

export const accept: Benchmark = {
  name: "accept",
  about: "POST a message: Sluice against bare node:http, Fastify with BullMQ, and an INSERT a request",
  options: {
    rounds: { about: "turns of each contestant at each number of connections", value: "5" },
    seconds: { about: "length of a turn", value: "5" },
    connections: { about: "numbers of connections", value: "1,16,64,256" },
  },
  run: (settings) => withServers(kinds, (servers) => run(servers, settings)),
};

async function run(servers: readonly Server[], settings: Settings): Promise<Findings> {
  const [rounds, seconds] = [settings.number("rounds"), settings.number("seconds")];
  const measured = new Map<number, ReadonlyMap<string, Turn[]>>();
  await warmUp(servers);
  for (const connections of settings.numbers("connections")) {
    console.log(`${connections} connections`);
    measured.set(
      connections,
      await contest(servers, rounds, (server) => turnOf(server, connections, seconds)),
    );
  }
  return {
    conditions:
      `One process of each contestant, compiled, in production mode, all with the flags of Sluice's image; wrk with one thread; ${rounds} turns of ` +
      `${seconds} s each, taken in rounds. Sluice as shipped: validation, request ids, metrics, the rate limit in ` +
      "Redis (set high), an access log to a file but where it says otherwise; the peers have no limit and log nothing. " +
      "Bodies of 100 bytes go to 100 chats of 10 applications in turn. No flusher and no worker runs; what is pending " +
      "is thrown away between turns. In brackets the least and the greatest of all turns.",
    tables: [
      ...[...measured].map(([connections, turns]) => turnsTable(connections, turns)),
      ratios(measured),
    ],
    figures: Object.fromEntries([...measured].map(([at, turns]) => [at, Object.fromEntries(turns)])),
  };
}

/** Each at 64 connections, until what is called often is compiled. */
export async function warmUp(servers: readonly Server[]): Promise<void> {
  for (const server of servers) await turnOf(server, 64, 3);
}

export async function turnOf(server: Server, connections: number, seconds: number): Promise<Turn> {
  const turn = await server.post(connections, seconds);
  await server.stage.discardPending();
  return turn;
}

/** What each contestant did. */
export function turnsTable(connections: number, turns: ReadonlyMap<string, Turn[]>): Table {
  const rows = [...turns].map(([name, all]) => {
    const column = (of: (turn: Turn) => number) => spread(all.map(of));
    const middle = (of: (turn: Turn) => number) => figure(column(of).median);
    return [
      name,
      spreadText(column(({ perSecond }) => perSecond)),
      middle(({ p50Ms }) => p50Ms),
      middle(({ p99Ms }) => p99Ms),
      middle(({ p999Ms }) => p999Ms),
      middle(({ cpuUs }) => cpuUs.node),
      middle(({ cpuUs }) => cpuUs.redis),
      middle(({ cpuUs }) => cpuUs.mysql),
    ];
  });
  const cpu = ["CPU µs each, server", "Redis", "MySQL"];
  return {
    title: connections === 1 ? "1 connection" : `${connections} connections`,
    head: ["POSTs a second", "p50, ms", "p99, ms", "p99.9, ms", ...cpu],
    rows,
  };
}

function ratios(measured: Measured): Table {
  const rows = peers.map((peer) => [
    peer.name,
    ...[...measured.values()].map((turns) => ratioTo(peer, turns)),
  ]);
  return {
    title: "Sluice's throughput, in times that of",
    head: [...measured.keys()].map((connections) => `at ${connections}`),
    rows,
  };
}

function ratioTo(peer: ServerKind, turns: ReadonlyMap<string, Turn[]>): string {
  const speed = (kind: ServerKind) => each(turns, kind.name, ({ perSecond }) => perSecond);
  return spreadText(ratio(speed(sluiceKind), speed(peer)));
}
