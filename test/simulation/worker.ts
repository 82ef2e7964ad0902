/** A process that runs seeds which it is told, on a database and a namespace of its own. */
import { explainSeed, runSeed, type SeedResult } from "./seeds.ts";
import { openStage } from "./stage.ts";
import { installVirtualTime } from "./virtual-time.ts";

/** What a worker is asked, one at a time. */
export type Question =
  | { readonly ask: "run"; readonly seed: number }
  | { readonly ask: "explain"; readonly seed: number; readonly kind: string | undefined }
  | { readonly ask: "end" };

/** What it answers. */
export type WorkerAnswer =
  { readonly ready: true } | { readonly ran: SeedResult } | { readonly explained: string };

function answer(message: WorkerAnswer): void {
  process.send?.(message);
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
      case "end":
        await stage.close();
        process.exit(0);
    }
  })();
});
answer({ ready: true });
