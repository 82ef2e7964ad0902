/** A process that runs seeds which it is told, on a database and a namespace of its own. */
import { type Searched, search, searches } from "./exhaustive.ts";
import { pairs } from "./pairs.ts";
import { everyLoss, type PlanOptions } from "./plan.ts";
import { explainSeed, runSeed, type SeedResult } from "./seeds.ts";
import { openStage } from "./stage.ts";
import { installVirtualTime } from "./virtual-time.ts";

/** Losses that a plan may have; all, where nothing is said. */
type Losses = readonly string[] | undefined;

/** What a worker is asked, one at a time. */
export type Question =
  | { readonly ask: "run"; readonly seed: number; readonly losses: Losses; readonly isWatched: boolean }
  | {
      readonly ask: "explain";
      readonly seed: number;
      readonly kind: string | undefined;
      readonly losses: Losses;
    }
  /** All schedules of a pair, by its place among the pairs; at most so many, in so many milliseconds. */
  | {
      readonly ask: "search";
      readonly pair: number;
      readonly kind: keyof typeof searches;
      readonly most: number;
      readonly ms: number;
    }
  | { readonly ask: "end" };

/** What it answers. */
export type WorkerAnswer =
  | { readonly ready: true }
  | { readonly ran: SeedResult }
  | { readonly explained: string }
  | { readonly searched: Searched };

function answer(message: WorkerAnswer): void {
  process.send?.(message);
}

function optionsOf(losses: Losses): PlanOptions {
  const wanted = [...everyLoss.losses].filter((loss) => losses?.includes(loss) ?? true);
  return { losses: new Set(wanted) };
}

function runOne({ seed, losses, isWatched }: Question & { ask: "run" }): Promise<SeedResult> {
  return runSeed(stage, seed, { options: optionsOf(losses), ...(isWatched && { isWatched }) });
}

async function searchPair({ pair, kind, most, ms }: Question & { ask: "search" }): Promise<Searched> {
  const wanted = pairs[pair];
  if (!wanted) throw new Error(`there is no pair ${pair}`);
  const endMs = Date.now() + ms;
  return search(stage, wanted, searches[kind], (schedules) => schedules < most && Date.now() < endMs);
}

installVirtualTime();
const stage = await openStage();
process.on("message", (question: Question) => {
  void (async () => {
    switch (question.ask) {
      case "run":
        answer({ ran: await runOne(question) });
        return;
      case "explain":
        answer({
          explained: await explainSeed(stage, question.seed, question.kind, optionsOf(question.losses)),
        });
        return;
      case "search":
        answer({ searched: await searchPair(question) });
        return;
      case "end":
        await stage.close();
        process.exit(0);
    }
  })();
});
answer({ ready: true });
