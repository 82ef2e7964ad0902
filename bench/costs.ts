import { turnOf, turnsTable, warmUp } from "./accept.ts";
import type { Benchmark, Findings, Settings } from "./support/benchmark.ts";
import { contest, each } from "./support/contest.ts";
import {
  echo,
  peerWith,
  type Server,
  type ServerKind,
  sluiceFor,
  sluiceKind,
  sluiceWith,
  withServers,
} from "./support/servers.ts";
import { ratio } from "./support/statistics.ts";
import { spreadText, type Table } from "./support/table.ts";

const connections = 64;

/** Each has what the one before has, and a part more. */
const rungs: readonly ServerKind[] = [
  echo,
  peerWith("Koa, echo", "koa-rung", ["koa"]),
  peerWith("with @koa/router", "koa-rung", ["router"]),
  peerWith("with koa-body", "koa-rung", ["body"]),
  peerWith("with a script call to Redis for each request", "koa-rung", ["script"]),
  sluiceWith("Sluice, without rate limit and access log", { RATE_LIMIT_PER_MINUTE: "0", LOG_LEVEL: "warn" }),
  sluiceKind,
  sluiceFor(10_000),
];

export const costs: Benchmark = {
  name: "costs",
  about: "POST a message: from bare node:http to Sluice, a part more with each",
  options: {
    rounds: { about: "turns of each", value: "5" },
    seconds: { about: "length of a turn", value: "5" },
  },
  run: (settings) => withServers(rungs, (servers) => run(servers, settings)),
};

async function run(servers: readonly Server[], settings: Settings): Promise<Findings> {
  const [rounds, seconds] = [settings.number("rounds"), settings.number("seconds")];
  await warmUp(servers);
  const turns = await contest(servers, rounds, (server) => turnOf(server, connections, seconds));
  const speed = ({ name }: ServerKind) => each(turns, name, ({ perSecond }) => perSecond);
  const cpu = ({ name }: ServerKind) => each(turns, name, ({ cpuUs }) => cpuUs.node);
  const shares: Table = {
    title: "in times that of bare node:http",
    head: ["throughput", "CPU of the server"],
    rows: rungs
      .slice(1)
      .map((rung) => [
        rung.name,
        spreadText(ratio(speed(rung), speed(echo))),
        spreadText(ratio(cpu(rung), cpu(echo))),
      ]),
  };
  return {
    conditions: `As \`accept\`, ${rounds} turns of ${seconds} s each.`,
    tables: [turnsTable(connections, turns), shares],
    figures: Object.fromEntries(turns),
  };
}
