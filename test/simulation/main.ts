/** npm run test:simulation: many seeds, one seed in full, or all schedules of two actors. README.md says how. */
import { parseArgs } from "node:util";

import { PrivateEngine } from "../support/private-engines.ts";
import type { searches } from "./exhaustive.ts";
import { findMutations } from "./find-mutations.ts";
import { copyWith } from "./mutated-copy.ts";
import { mutations } from "./mutations.ts";
import { pairs } from "./pairs.ts";
import { packetBytes } from "./product.ts";
import type { SeedResult } from "./seeds.ts";
import { WorkerProcess } from "./worker-process.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    seconds: { type: "string" },
    workers: { type: "string", default: "2" },
    seed: { type: "string" },
    kind: { type: "string" },
    losses: { type: "string" },
    explain: { type: "string", default: "3" },
    exhaustive: { type: "boolean", default: false },
    pair: { type: "string" },
    search: { type: "string" },
    schedules: { type: "string", default: "100000" },
    "every-step": { type: "boolean", default: false },
    mutations: { type: "boolean", default: false },
    mutation: { type: "string" },
  },
});

const engines = await Promise.all([
  PrivateEngine.start("redis"),
  PrivateEngine.start("database", [
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--max-connections=500",
    `--max-allowed-packet=${packetBytes}`,
  ]),
]);

const env = engines.reduce((all, engine) => ({ ...all, ...engine.env }), process.env);

/** Losses that plans may have, where not all. */
const losses = values.losses?.split(",").filter((one) => one !== "");

type SearchKind = keyof typeof searches;

/** Ways to search a pair. */
const kinds: readonly SearchKind[] = (["replies", "switches", "schedules", "faults"] as const).filter(
  (kind) => values.search === undefined || values.search === kind,
);

/** Mutations of the program that are wanted, by a part of their name. */
const wanted = mutations.filter(({ name }) => name.includes(values.mutation ?? ""));

/** Seconds within which a mutation must be found, where nothing is said. */
const secondsForMutation = 120;

interface Found {
  readonly kind: string;
  readonly first: SeedResult;
  readonly afterSeconds: number;
  seeds: number;
}

/** Runs seeds on every worker until there are no more, or time is up. */
async function runAll(workers: readonly WorkerProcess[]): Promise<readonly Found[]> {
  const [from, count] = [Number(values.from), Number(values.seeds)];
  const endMs = values.seconds === undefined ? Infinity : Date.now() + Number(values.seconds) * 1000;
  const startMs = Date.now();
  const found = new Map<string, Found>();
  let [next, done, events] = [from, 0, 0];
  const work = async (worker: WorkerProcess) => {
    while (next < from + count && Date.now() < endMs) {
      const seed = next;
      next += 1;
      const result = await worker.run(seed, values["every-step"]);
      done += 1;
      events += result.events;
      for (const [kind, text] of Object.entries(result.problems)) {
        const known = found.get(kind);
        if (known) known.seeds += 1;
        else {
          const afterSeconds = (Date.now() - startMs) / 1000;
          found.set(kind, { kind, first: result, afterSeconds, seeds: 1 });
          console.log(`seed ${seed}, after ${afterSeconds.toFixed(0)} s: ${kind}: ${text}`);
        }
      }
    }
  };
  await Promise.all(workers.map(work));
  const seconds = (Date.now() - startMs) / 1000;
  console.log(
    `${done} seeds in ${seconds.toFixed(0)} s: ${(done / seconds).toFixed(1)} a second, ` +
      `${Math.round(events / done)} steps each; ${found.size} kinds of problems`,
  );
  for (const { kind, seeds, first } of found.values())
    console.log(`  ${seeds} ${kind} (first ${first.seed})`);
  return [...found.values()];
}

/** Searches every pair in each way, as many at a time as there are workers. */
async function searchAll(workers: readonly WorkerProcess[]): Promise<boolean> {
  const ms = values.seconds === undefined ? 2 ** 31 - 1 : Number(values.seconds) * 1000;
  const wanted = [...pairs.keys()].filter((nth) => values.pair === undefined || nth === Number(values.pair));
  const queue = wanted.flatMap((pair) => kinds.map((kind) => ({ pair, kind })));
  let isFine = true;
  const work = async (worker: WorkerProcess) => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { pair, kind } = next;
      const startMs = Date.now();
      const found = await worker.search(pair, kind, Number(values.schedules), ms);
      const seconds = ((Date.now() - startMs) / 1000).toFixed(0);
      console.log(
        `${pair} ${kind}: ${pairs[pair]?.name}: ${found.schedules} in ${seconds} s` +
          (found.isWhole ? ", all there are" : ", not all"),
      );
      for (const [problem, { schedules, first }] of Object.entries(found.problems)) {
        isFine = false;
        console.log(`  ${schedules} ${problem}\n${first}`);
      }
    }
  };
  await Promise.all(workers.map(work));
  return isFine;
}

/** Explains a seed of the program, or of the program with a mutation. */
async function explainOne(seed: number): Promise<void> {
  const [mutation] = wanted;
  const copy = values.mutation !== undefined && mutation ? copyWith(mutation) : undefined;
  try {
    const worker = await WorkerProcess.start(env, losses, copy?.directory);
    console.log(await worker.explain(seed, values.kind));
    await worker.end();
  } finally {
    copy?.remove();
  }
}

/** Runs on all workers, and explains the first of what was found. */
async function runOnWorkers(): Promise<boolean> {
  const start = () => WorkerProcess.start(env, losses);
  const workers = await Promise.all(Array.from({ length: Number(values.workers) }, start));
  try {
    if (values.exhaustive) return await searchAll(workers);
    const [first] = workers;
    const found = await runAll(workers);
    for (const { kind, first: result } of found.slice(0, Number(values.explain))) {
      console.log(
        `\n${kind}: npm run test:simulation -- --seed ${result.seed} --kind "${kind}"${
          values.losses === undefined ? "" : ` --losses "${values.losses}"`
        }`,
      );
      console.log(await first?.explain(result.seed, kind));
    }
    return found.length === 0;
  } finally {
    await Promise.all(workers.map((worker) => worker.end()));
  }
}

async function main(): Promise<boolean> {
  try {
    if (values.seed !== undefined) {
      await explainOne(Number(values.seed));
      return true;
    }
    if (!values.mutations) return await runOnWorkers();
    const seconds = Number(values.seconds ?? secondsForMutation);
    return await findMutations(wanted, env, {
      workers: Number(values.workers),
      from: Number(values.from),
      seconds,
    });
  } finally {
    await Promise.all(engines.map((engine) => engine.close()));
  }
}

const isFine = await main();
process.exit(isFine ? 0 : 1);
