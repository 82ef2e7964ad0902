import type { Benchmark, Findings, Settings } from "./support/benchmark.ts";
import { contest, each } from "./support/contest.ts";
import { bullmqDrainer, type Drained, type Drainer, rawDrainer, sluiceDrainer } from "./support/drainers.ts";
import { ratio, spread } from "./support/statistics.ts";
import { figure, spreadText, type Table } from "./support/table.ts";

const names = {
  sluice: "Sluice, one flusher",
  raw: "INSERTs alone, one connection",
  rawByTwo: "INSERTs alone, two connections",
  batching: "BullMQ, a worker that batches",
  single: "BullMQ, an INSERT a job, 16 at a time",
};

export const drain: Benchmark = {
  name: "drain",
  about: "what is pending into MySQL: Sluice against the INSERTs alone and workers of BullMQ",
  options: {
    rounds: { about: "turns of each", value: "5" },
    messages: { about: "messages of a turn", value: "100000" },
    jobs: { about: "those of a turn of BullMQ, which takes longer", value: "20000" },
  },
  async run(settings) {
    const drainers = await Promise.all([
      sluiceDrainer(names.sluice),
      rawDrainer(names.raw, 1),
      rawDrainer(names.rawByTwo, 2),
      bullmqDrainer(names.batching, "bullmq-batching-worker"),
      bullmqDrainer(names.single, "bullmq-worker"),
    ]);
    try {
      return await run(drainers, settings);
    } finally {
      for (const drainer of drainers) await drainer.close();
    }
  },
};

async function run(drainers: readonly Drainer[], settings: Settings): Promise<Findings> {
  const [rounds, messages] = [settings.number("rounds"), settings.number("messages")];
  const fewer = settings.number("jobs");
  const countOf = ({ name }: Drainer) => (name.startsWith("BullMQ") ? fewer : messages);
  // What is called often is compiled by then.
  for (const drainer of drainers) await drainer.drain(Math.min(10_000, countOf(drainer)));
  const measured = await contest(drainers, rounds, (drainer) => drainer.drain(countOf(drainer)));
  return {
    conditions:
      `${figure(messages)} messages of 100 bytes in 100 chats of 10 applications (${figure(fewer)} for BullMQ) wait, ` +
      `then go into an empty table; ${rounds} turns of each, taken in rounds, by processes that were running before. ` +
      "The rate is that from the first batch done to the last. The INSERTs alone have 1,000 rows each, the same " +
      "rows as a flush has, in texts made beforehand; each commit is durable. In brackets the least and the greatest " +
      "of all turns.",
    tables: [drainedTable("rows into MySQL", measured), ratios(measured)],
    figures: Object.fromEntries(measured),
  };
}

/** How fast each was, and the processor time of each part. */
export function drainedTable(title: string, measured: ReadonlyMap<string, Drained[]>): Table {
  const rows = [...measured].map(([name, all]) => {
    const column = (of: (one: Drained) => number) => spread(all.map(of));
    return [
      name,
      spreadText(column(({ rowsPerSecond }) => rowsPerSecond)),
      figure(column(({ cpuUs }) => cpuUs.node).median),
      figure(column(({ cpuUs }) => cpuUs.redis).median),
      figure(column(({ cpuUs }) => cpuUs.mysql).median),
    ];
  });
  return { title, head: ["a second", "CPU µs a row, Node", "Redis", "MySQL"], rows };
}

function ratios(measured: ReadonlyMap<string, Drained[]>): Table {
  const speed = (name: string) => each(measured, name, ({ rowsPerSecond }) => rowsPerSecond);
  const others = [names.raw, names.rawByTwo, names.batching, names.single];
  return {
    title: "Sluice, in times",
    head: ["rate"],
    rows: others.map((name) => [name, spreadText(ratio(speed(names.sluice), speed(name)))]),
  };
}
