import { turnOf, turnsTable, warmUp } from "./accept.ts";
import type { Benchmark, Findings, Settings } from "./support/benchmark.ts";
import { contest, each } from "./support/contest.ts";
import { echo, type Server, sluiceWith, withServers } from "./support/servers.ts";
import { ratio } from "./support/statistics.ts";
import { spreadText, type Table } from "./support/table.ts";

const connections = 64;
const one = sluiceWith("Sluice, WEB_CONCURRENCY=1", { WEB_CONCURRENCY: "1" });
const two = sluiceWith("Sluice, WEB_CONCURRENCY=2", { WEB_CONCURRENCY: "2" });

export const workers: Benchmark = {
  name: "workers",
  about: "POST a message: WEB_CONCURRENCY=2 against 1",
  options: {
    rounds: { about: "turns of each", value: "7" },
    seconds: { about: "length of a turn", value: "5" },
  },
  run: (settings) => withServers([one, two, echo], (servers) => run(servers, settings)),
};

async function run(servers: readonly Server[], settings: Settings): Promise<Findings> {
  const [rounds, seconds] = [settings.number("rounds"), settings.number("seconds")];
  await warmUp(servers);
  const turns = await contest(servers, rounds, (server) => turnOf(server, connections, seconds));
  const speed = (name: string) => each(turns, name, ({ perSecond }) => perSecond);
  const gained: Table = {
    title: "throughput",
    head: ["times that of one"],
    rows: [[two.name, spreadText(ratio(speed(two.name), speed(one.name)))]],
  };
  return {
    conditions:
      `As \`accept\`, ${rounds} turns of ${seconds} s each. The load generator, Redis and the processes share the ` +
      "machine's cores; the processor time of each part says who had how much.",
    tables: [turnsTable(connections, turns), gained],
    figures: Object.fromEntries(turns),
  };
}
