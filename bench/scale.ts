import { drainedTable } from "./drain.ts";
import { turnsTable } from "./accept.ts";
import { ApiGroup, partsText } from "./support/api-group.ts";
import type { Benchmark, Findings, Settings } from "./support/benchmark.ts";
import { contest } from "./support/contest.ts";
import { type Drained, type Drainer, sluiceDrainer } from "./support/drainers.ts";
import type { Turn } from "./support/servers.ts";
import { figure } from "./support/table.ts";

const connections = 64;

export const scale: Benchmark = {
  name: "scale",
  about: "accepting and draining with more partitions and processes, and the processor time of each part",
  options: {
    parts: { about: "partitions, and as many processes", value: "1,2,4" },
    rounds: { about: "turns of each", value: "5" },
    seconds: { about: "length of a turn of POSTs", value: "5" },
    messages: { about: "messages of a turn of draining", value: "100000" },
  },
  async run(settings): Promise<Findings> {
    const accepted = await measureAccepting(settings);
    const drained = await measureDraining(settings);
    return {
      conditions:
        `As many API processes as partitions, ${connections} connections among them, and then as many flushers, each ` +
        `draining one; ${settings.number("rounds")} turns of each, of ${settings.number("seconds")} s and of ` +
        `${figure(settings.number("messages"))} messages. The load, the engines and all processes share the machine's ` +
        "cores: beyond their number nothing gets faster. What the processor time of each part says holds on more " +
        "machines.",
      tables: [turnsTable(connections, accepted), drainedTable("rows into MySQL", drained)],
      figures: { accepted: Object.fromEntries(accepted), drained: Object.fromEntries(drained) },
    };
  },
};

async function measureAccepting(settings: Settings): Promise<Map<string, Turn[]>> {
  const groups: ApiGroup[] = [];
  try {
    for (const parts of settings.numbers("parts")) groups.push(await ApiGroup.start(parts));
    const turn = (group: ApiGroup, seconds: number) => group.post(connections, seconds);
    // Until what is called often is compiled, in each process.
    for (const group of groups) await turn(group, 3 * group.processes);
    const seconds = settings.number("seconds");
    return await contest(groups, settings.number("rounds"), (group) => turn(group, seconds));
  } finally {
    for (const group of groups) await group.close();
  }
}

async function measureDraining(settings: Settings): Promise<Map<string, Drained[]>> {
  const drainers: Drainer[] = [];
  try {
    for (const parts of settings.numbers("parts")) {
      drainers.push(await sluiceDrainer(partsText(parts), { processes: parts, partitions: parts }));
    }
    const messages = settings.number("messages");
    for (const drainer of drainers) await drainer.drain(Math.min(10_000, messages));
    return await contest(drainers, settings.number("rounds"), (drainer) => drainer.drain(messages));
  } finally {
    for (const drainer of drainers) await drainer.close();
  }
}
