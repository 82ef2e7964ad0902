import { describeOperations } from "./describe.ts";
import type { Dossier } from "./dossier-file.ts";
import { gatherDossiers } from "./dossiers.ts";
import { linearize } from "./linearize.ts";
import { tell, type Told } from "./looks.ts";
import { modelOfRecord } from "./record-model.ts";
import { isApplication, parentOf, type Path, type Recorded, type StoreEvent } from "./recorded.ts";

/** What is wrong, and how many records had more possible orders than were tried. */
export interface RecordVerdicts {
  readonly problems: readonly string[];
  readonly records: number;
  readonly undecided: number;
}

/** Finds the records whose operations cannot have happened one after the other, as of one record in one store. */
export function checkRecords(
  recorded: readonly Recorded[],
  isRefused: (text: string) => boolean,
): RecordVerdicts {
  const [model, modelOfStranded] = [modelOfRecord<Told>(isRefused), modelOfRecord<Told>(() => true)];
  const dossiers = gatherDossiers(recorded, isRefused);
  const events = tellingEvents(recorded);
  const drains = recorded.filter((act) => act.do === "drain");
  const olderCopies = servingOlderCopies(recorded, drains);
  const problems: string[] = [];
  let undecided = 0;
  for (const dossier of dossiers.values()) {
    const operations = operationsOn(dossier, dossiers, events, olderCopies);
    const isStranded = mayBeRefusedAsNew(dossiers.get(parentOf(dossier.path)), drains, isRefused);
    const verdict = linearize(isStranded ? modelOfStranded : model, operations);
    if (verdict.kind === "undecided") undecided += 1;
    if (verdict.kind === "impossible")
      problems.push(describeOperations(dossier.path, operations, verdict.stuckAt));
  }
  return { problems, records: dossiers.size, undecided };
}

/** Whether MySQL may have refused a chat that it did not have: what is accepted beneath it then cannot land either. */
function mayBeRefusedAsNew(
  chat: Dossier | undefined,
  drains: readonly Recorded[],
  isRefused: (text: string) => boolean,
): boolean {
  const [made] = chat?.makings ?? [];
  if (!chat || !made) return false;
  const landed = drains.filter(({ beganMs }) => beganMs > made.endedMs).map(({ endedMs }) => endedMs);
  const landedByMs = Math.min(...landed);
  const texts = [made, ...chat.updates].filter(({ beganMs }) => beganMs < landedByMs);
  return texts.some((told) => "text" in told && isRefused(told.text));
}

function operationsOn(
  { path, makings, updates, removals, looks }: Dossier,
  dossiers: ReadonlyMap<Path, Dossier>,
  events: readonly Told[],
  olderCopies: readonly Span[],
): Told[] {
  const above: Told[] = [];
  for (let parent = parentOf(path); parent !== ""; parent = parentOf(parent))
    above.push(...(dossiers.get(parent)?.removals ?? []));
  const madeFromMs = Math.min(...makings.map(({ beganMs }) => beganMs));
  // One that was made in a deleted parent is that parent's fault; a loss may have taken its deletion back.
  const parents = above
    .filter(({ endedMs }) => endedMs >= madeFromMs)
    .map((told): Told => ({ ...told, do: "delete parent" }));
  const seen = looks.all.filter((look) => !isBetween(path, look, dossiers));
  if (isApplication(path)) {
    const isOfCopy = (look: Told) =>
      look.do === "see it there" && olderCopies.some((span) => overlaps(span, look));
    return [...makings, ...updates, ...removals, ...seen.filter((look) => !isOfCopy(look))];
  }
  const own = [...makings, ...updates, ...removals, ...parents, ...seen];
  return [...own, ...events.filter(({ endedMs }) => endedMs >= madeFromMs)];
}

/** An application is deleted in MySQL first, and then marked in Redis: in between it may be seen in one of the two. */
function isBetween(path: Path, look: Told, dossiers: ReadonlyMap<Path, Dossier>): boolean {
  if (isApplication(path) || look.do !== "miss") return false;
  const [token = ""] = path.split("/");
  const deletions = dossiers.get(token)?.removals ?? [];
  return deletions.some((deletion) => overlaps(deletion, look));
}

type Span = Pick<Told, "beganMs" | "endedMs">;

function overlaps(one: Span, other: Span): boolean {
  return one.beganMs <= other.endedMs && other.beganMs <= one.endedMs;
}

/**
 * When an older copy of Redis is served, up to when nothing waits any more; not before something was accepted, which
 * makes sure that it is noticed. What the copy holds beneath an application that was deleted since is shown until its
 * removal comes to it: that says nothing of the application.
 */
function servingOlderCopies(recorded: readonly Recorded[], drains: readonly Recorded[]): Span[] {
  const accepted = recorded.filter(
    (act) => act.do === "post" && act.parent !== "" && act.outcome === "done" && !act.isReplayed,
  );
  return recorded
    .filter((act) => act.do === "put back")
    .map(({ beganMs, endedMs }) => {
      const noticedMs = firstEnd(accepted, endedMs);
      return { beganMs, endedMs: firstEnd(drains, noticedMs) };
    });
}

/** When the first of some acts ended that began after a time. */
function firstEnd(acts: readonly Recorded[], afterMs: number): number {
  return Math.min(...acts.filter(({ beganMs }) => beganMs >= afterMs).map((act) => act.endedMs));
}

/** The losses, the copies, and the times around them at which nothing waited: the others change nothing. */
function tellingEvents(recorded: readonly Recorded[]): Told[] {
  const events: (StoreEvent & Recorded)[] = [];
  for (const act of recorded)
    if (act.do === "drain" || act.do === "copy" || act.do === "lose" || act.do === "put back")
      events.push(act);
  const drains = events.filter((event) => event.do === "drain").sort((a, b) => a.beganMs - b.beganMs);
  const others = events.filter((event) => event.do !== "drain");
  if (!others.some((event) => event.do !== "copy")) return [];
  const around = others.flatMap((event) => [
    drains.findLast(({ endedMs }) => endedMs <= event.beganMs),
    drains.find(({ beganMs }) => beganMs >= event.endedMs),
  ]);
  const telling = new Set([...others, ...around.filter((drain) => drain !== undefined)]);
  return [...telling].map((event) => tell(event, { do: event.do }));
}
