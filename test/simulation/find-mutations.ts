/** Looks for each mutation by seeds, as for a fault of the program that nobody knows of. */
import { copyWith } from "./mutated-copy.ts";
import type { Mutation } from "./mutations.ts";
import { WorkerProcess } from "./worker-process.ts";

/** The seed that showed a mutation, and what it showed. */
interface Sighting {
  readonly seed: number;
  readonly problem: string;
}

/** Whether each of the mutations is found within so many seconds; says of each which seed showed it, and when. */
export async function findMutations(
  mutations: readonly Mutation[],
  env: NodeJS.ProcessEnv,
  { workers, from, seconds }: { workers: number; from: number; seconds: number },
): Promise<boolean> {
  let isFine = true;
  for (const mutation of mutations) {
    const startMs = Date.now();
    const { sighting, seeds } = await find(mutation, env, workers, from, startMs + seconds * 1000);
    const tookSeconds = ((Date.now() - startMs) / 1000).toFixed(0);
    const outcome = sighting ? `found by seed ${sighting.seed}` : "NOT FOUND";
    console.log(`${outcome}, ${seeds} seeds in ${tookSeconds} s: ${mutation.name}`);
    if (sighting) console.log(`  ${sighting.problem}`);
    else isFine = false;
  }
  return isFine;
}

async function find(
  mutation: Mutation,
  env: NodeJS.ProcessEnv,
  count: number,
  from: number,
  endMs: number,
): Promise<{ readonly sighting: Sighting | undefined; readonly seeds: number }> {
  const copy = copyWith(mutation);
  try {
    const start = () => WorkerProcess.start(env, undefined, copy.directory);
    const workers = await Promise.all(Array.from({ length: count }, start));
    let next = from;
    let sighting: Sighting | undefined;
    const work = async (worker: WorkerProcess) => {
      while (!sighting && Date.now() < endMs) {
        const seed = next;
        next += 1;
        const [problem] = Object.entries((await worker.run(seed)).problems);
        if (problem) sighting ??= { seed, problem: problem.join(": ") };
      }
    };
    await Promise.all(workers.map(work));
    await Promise.all(workers.map((worker) => worker.end()));
    return { sighting, seeds: next - from };
  } finally {
    copy.remove();
  }
}
