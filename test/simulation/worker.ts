/** A process that runs seeds which it is told, on a database and a namespace of its own. */
import { type Searched, search, searches } from "./exhaustive.ts";
import { pairs } from "./pairs.ts";
import { explainSeed, runSeed, type SeedResult } from "./seeds.ts";
import { openStage } from "./stage.ts";
import { installVirtualTime } from "./virtual-time.ts";

/** What a worker is asked, one at a time. */
export type Question =
  | { readonly ask: "run"; readonly seed: number }
  | { readonly ask: "explain"; readonly seed: number; readonly kind: string | undefined }
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
        answer({ ran: await runSeed(stage, question.seed) });
        return;
      case "explain":
        answer({ explained: await explainSeed(stage, question.seed, question.kind) });
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
