import { describeActs } from "./describe.ts";
import type { Recorded } from "./recorded.ts";

/** Finds pages that are not in the order asked for, or that show a record twice. What they lack is seen of each record. */
export function checkLists(recorded: readonly Recorded[]): string[] {
  const problems: string[] = [];
  for (const act of recorded) {
    if (act.do !== "list") continue;
    const sign = act.order === "asc" ? 1 : -1;
    const isRising = act.items.every(
      ({ number }, at) => at === 0 || ((act.items[at - 1]?.number ?? 0) - number) * sign < 0,
    );
    if (!isRising) problems.push(describeActs(`a page of ${act.parent} is out of order`, [act]));
  }
  return problems;
}
