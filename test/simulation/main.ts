/** npm run test:simulation: many seeds, one seed in full, or all schedules of two actors. README.md says how. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";

import { PrivateEngine } from "../support/private-engines.ts";
import type { Searched, searches } from "./exhaustive.ts";
import { pairs } from "./pairs.ts";
import type { SeedResult } from "./seeds.ts";
import type { Question, WorkerAnswer } from "./worker.ts";

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
  },
});

const engines = await Promise.all([
  PrivateEngine.start("redis"),
  PrivateEngine.start("database", [
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--max-connections=500",
  ]),
]);

/** Losses that plans may have, where not all. */
const losses = values.losses?.split(",").filter((one) => one !== "");

type SearchKind = keyof typeof searches;

/** Ways to search a pair. */
const kinds: readonly SearchKind[] = (["replies", "switches", "schedules", "faults"] as const).filter(
  (kind) => values.search === undefined || values.search === kind,
);

class Worker {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(): Promise<Worker> {
    const env = engines.reduce((all, engine) => ({ ...all, ...engine.env }), process.env);
    const child = fork(new URL("worker.ts", import.meta.url), {
      execArgv: ["--import", "tsx"],
      env,
    });
    await once(child, "message");
    return new Worker(child);
  }

  async run(seed: number): Promise<SeedResult> {
    const reply = await this.#ask({ ask: "run", seed, losses });
    if ("ran" in reply) return reply.ran;
    throw new Error("the worker answered something else");
  }

  async explain(seed: number, kind: string | undefined): Promise<string> {
    const reply = await this.#ask({ ask: "explain", seed, kind, losses });
    if ("explained" in reply) return reply.explained;
    throw new Error("the worker answered something else");
  }

  async search(pair: number, kind: SearchKind, most: number, ms: number): Promise<Searched> {
    const reply = await this.#ask({ ask: "search", pair, kind, most, ms });
    if ("searched" in reply) return reply.searched;
    throw new Error("the worker answered something else");
  }

  async end(): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.send({ ask: "end" } satisfies Question);
    await exited;
  }

  async #ask(question: Question): Promise<WorkerAnswer> {
    const answered = new AbortController();
    const { signal } = answered;
    const reply = once(this.#child, "message", { signal }).then(([message]) => message as WorkerAnswer);
    const exit = once(this.#child, "exit", { signal }).then(() =>
      Promise.reject(new Error("a worker ended")),
    );
    this.#child.send(question);
    try {
      return await Promise.race([reply, exit]);
    } finally {
      exit.catch(() => undefined);
      answered.abort();
    }
  }
}

interface Found {
  readonly kind: string;
  readonly first: SeedResult;
  readonly afterSeconds: number;
  seeds: number;
}

/** Runs seeds on every worker until there are no more, or time is up. */
async function runAll(workers: readonly Worker[]): Promise<readonly Found[]> {
  const [from, count] = [Number(values.from), Number(values.seeds)];
  const endMs = values.seconds === undefined ? Infinity : Date.now() + Number(values.seconds) * 1000;
  const startMs = Date.now();
  const found = new Map<string, Found>();
  let [next, done, events] = [from, 0, 0];
  const work = async (worker: Worker) => {
    while (next < from + count && Date.now() < endMs) {
      const seed = next;
      next += 1;
      const result = await worker.run(seed);
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
async function searchAll(workers: readonly Worker[]): Promise<boolean> {
  const ms = values.seconds === undefined ? 2 ** 31 - 1 : Number(values.seconds) * 1000;
  const wanted = [...pairs.keys()].filter((nth) => values.pair === undefined || nth === Number(values.pair));
  const queue = wanted.flatMap((pair) => kinds.map((kind) => ({ pair, kind })));
  let isFine = true;
  const work = async (worker: Worker) => {
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

async function main(): Promise<boolean> {
  const one = values.seed === undefined ? undefined : Number(values.seed);
  const count = one === undefined ? Number(values.workers) : 1;
  const workers = await Promise.all(Array.from({ length: count }, () => Worker.start()));
  try {
    const [first] = workers;
    if (one !== undefined) {
      console.log(await first?.explain(one, values.kind));
      return true;
    }
    if (values.exhaustive) return await searchAll(workers);
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
    await Promise.all(engines.map((engine) => engine.close()));
  }
}

const isFine = await main();
process.exit(isFine ? 0 : 1);
