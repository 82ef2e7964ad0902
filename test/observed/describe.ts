import type { Told } from "./looks.ts";
import type { Path, Recorded } from "./recorded.ts";

/** As much as is read by a person. */
const mostLines = 16;

/** A record that cannot have been what its clients saw: the operations up to the one that nothing led up to. */
export function describeOperations(path: Path, operations: readonly Told[], stuckAt: Told): string {
  const before = operations
    .filter(({ beganMs }) => beganMs <= stuckAt.endedMs)
    .sort((a, b) => a.beganMs - b.beganMs)
    .map((told) => `${told === stuckAt ? "=>" : "  "} ${describe(told.by)}`);
  const shown = [...new Set(before)].slice(-mostLines);
  return [`${path}: nothing led up to "${stuckAt.do}"`, ...shown].join("\n");
}

/** What was recorded of some acts, a line each, in order. */
export function describeActs(title: string, acts: readonly Recorded[]): string {
  const lines = [...acts].sort((a, b) => a.beganMs - b.beganMs).map((act) => `   ${describe(act)}`);
  return [title, ...lines.slice(-mostLines)].join("\n");
}

function describe(act: Recorded): string {
  const seconds = (ms: number) => (ms / 1000).toFixed(3);
  const reason = "code" in act ? ` (${act.code})` : "";
  return `${seconds(act.beganMs)}–${seconds(act.endedMs)} ${act.client} ${words(act)}${reason}`;
}

function words(act: Recorded): string {
  switch (act.do) {
    case "post": {
      const key = act.key === undefined ? "" : `, key "${act.key}"`;
      const replayed = act.isReplayed ? " (replayed)" : "";
      return `post "${short(act.text)}" in ${act.parent}${key}: ${act.outcome} ${act.name ?? ""}${replayed}`;
    }
    case "update":
      return `update ${act.path} "${short(act.text)}": ${act.outcome}, saw "${short(act.seen)}"`;
    case "read":
      return `read ${act.path}: ${act.outcome} "${short(act.seen)}"`;
    case "delete":
    case "discard":
      return `${act.do} ${act.path}: ${act.outcome}`;
    case "list": {
      const numbers = act.items.map(({ number }) => number).join(" ");
      return `list ${act.parent} ${act.order} ${act.from} to ${act.to}: ${act.outcome} [${numbers}]`;
    }
    default:
      return act.do;
  }
}

function short(text = ""): string {
  return text.length > 20 ? `${text.slice(0, 20)}…` : text;
}
