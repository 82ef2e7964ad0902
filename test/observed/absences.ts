import type { Dossier, DossierFile } from "./dossier-file.ts";
import { groupBy } from "./group-by.ts";
import { tell } from "./looks.ts";
import { type Listing, parentOf, type Path, type Recorded } from "./recorded.ts";

/** The records that a page does not show although their numbers lie within it. */
export function takeAbsences(file: DossierFile, recorded: readonly Recorded[]): void {
  const siblings = groupBy(file.all.values(), ({ path }) => parentOf(path));
  const sorted = new Map<Path, Candidate[]>();
  for (const [parent, all] of siblings)
    sorted.set(
      parent,
      all.map(candidate).sort((a, b) => a.number - b.number),
    );
  for (const act of recorded) {
    if (act.do !== "list" || act.outcome !== "done") continue;
    for (const { dossier } of absentFrom(act, sorted.get(act.parent) ?? []))
      dossier.looks.add(tell(act, { do: "miss" }));
  }
}

interface Candidate {
  readonly number: number;
  readonly dossier: Dossier;
  /** To be missed before it can have been made, or after it must have been deleted, says nothing. */
  readonly madeFromMs: number;
  readonly deletedByMs: number;
}

function candidate(dossier: Dossier): Candidate {
  const { path, makings, removals } = dossier;
  const deletions = removals.filter(({ isCertain }) => isCertain);
  return {
    number: Number(path.slice(path.lastIndexOf("/") + 1)),
    dossier,
    madeFromMs: Math.min(...makings.map(({ beganMs }) => beganMs)),
    deletedByMs: Math.min(...deletions.map(({ endedMs }) => endedMs)),
  };
}

function absentFrom(list: Listing & Recorded, candidates: readonly Candidate[]): Candidate[] {
  const listed = new Set(list.items.map(({ number }) => number));
  const absent: Candidate[] = [];
  for (let at = firstFrom(candidates, list.from); at < candidates.length; at += 1) {
    const one = candidates[at];
    if (!one || one.number > list.to) break;
    const tells = one.madeFromMs <= list.endedMs && one.deletedByMs >= list.beganMs;
    if (tells && !listed.has(one.number)) absent.push(one);
  }
  return absent;
}

function firstFrom(candidates: readonly Candidate[], number: number): number {
  let [low, high] = [0, candidates.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((candidates[middle]?.number ?? 0) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}
