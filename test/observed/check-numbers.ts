import { describeActs } from "./describe.ts";
import { groupBy } from "./group-by.ts";
import { type Path, pathIn, type Post, type Recorded } from "./recorded.ts";

type Posted = Post & Recorded;

/** Finds numbers that were given twice, and numbers that were given in another order than they were asked for. */
export function checkNumbers(recorded: readonly Recorded[]): string[] {
  const posts = recorded.filter((act): act is Posted => act.do === "post");
  return [
    ...givenTwice(posts),
    ...seenTwice(posts, recorded),
    ...madeTwice(posts, recorded),
    ...outOfOrder(posts),
  ];
}

/** Calls that are the same: one that is repeated under its key is no other. */
function identityOf({ parent, key, text }: Posted): string {
  return key === undefined ? `text ${text}` : `key ${parent} ${key}`;
}

function placeOf({ parent, name }: Posted): Path {
  return pathIn(parent, name ?? "");
}

/** For ever: also where the first of the two was deleted or lost meanwhile. */
function givenTwice(posts: readonly Posted[]): string[] {
  const named = posts.filter(({ name }) => name !== undefined);
  const problems: string[] = [];
  for (const [place, answers] of groupBy(named, placeOf)) {
    const isTwice =
      new Set(answers.map(identityOf)).size > 1 || answers.filter(({ isReplayed }) => !isReplayed).length > 1;
    if (isTwice) problems.push(describeActs(`${place} was given twice`, answers));
  }
  return problems;
}

/** Records that were seen with the text of a post that was answered another number, or of an unanswered one. */
function seenTwice(posts: readonly Posted[], recorded: readonly Recorded[]): string[] {
  const makers = new Map<Path, Posted>();
  for (const post of posts) if (post.name !== undefined) makers.set(placeOf(post), post);
  const byText = new Map(posts.map((post) => [post.text, post]));
  const problems = new Map<Path, string>();
  for (const { act, path, text } of sightsIn(recorded)) {
    const [maker, writer] = [makers.get(path), byText.get(text)];
    if (!maker || !writer || identityOf(maker) === identityOf(writer)) continue;
    problems.set(path, describeActs(`${path} is of two`, [maker, writer, act]));
  }
  return [...problems.values()];
}

/** Posts that made two records, unless a loss of Redis has taken the memory of their key in between. */
function madeTwice(posts: readonly Posted[], recorded: readonly Recorded[]): string[] {
  const losses = recorded.filter((act) => act.do === "lose" || act.do === "put back");
  const byText = new Map(posts.map((post) => [post.text, post]));
  const made = new Map<string, Map<Path, Recorded>>();
  const note = (post: Posted, path: Path, act: Recorded) => {
    const places = made.get(identityOf(post)) ?? new Map<Path, Recorded>();
    made.set(identityOf(post), places);
    if (!places.has(path)) places.set(path, act);
  };
  for (const post of posts) if (post.name !== undefined) note(post, placeOf(post), post);
  for (const { act, path, text } of sightsIn(recorded)) {
    const writer = byText.get(text);
    if (writer) note(writer, path, act);
  }
  const problems: string[] = [];
  for (const [identity, places] of made) {
    if (places.size < 2) continue;
    const acts = posts.filter((post) => identityOf(post) === identity);
    const [fromMs, toMs] = [
      Math.min(...acts.map(({ beganMs }) => beganMs)),
      Math.max(...acts.map(({ endedMs }) => endedMs)),
    ];
    const isForgotten = losses.some(({ beganMs, endedMs }) => endedMs >= fromMs && beganMs <= toMs);
    if (isForgotten && identity.startsWith("key")) continue;
    problems.push(
      describeActs(`one post made ${[...places.keys()].join(" and ")}`, [...acts, ...places.values()]),
    );
  }
  return problems;
}

interface Sight {
  readonly act: Recorded;
  readonly path: Path;
  readonly text: string;
}

function* sightsIn(recorded: readonly Recorded[]): Generator<Sight> {
  for (const act of recorded) {
    if ((act.do === "read" || act.do === "update") && act.seen !== undefined)
      yield { act, path: act.path, text: act.seen };
    if (act.do !== "list") continue;
    for (const { number, text } of act.items) yield { act, path: pathIn(act.parent, number), text };
  }
}

/** Who asks after another was answered is given a greater number, of the same parent. */
function outOfOrder(posts: readonly Posted[]): string[] {
  const isNumbered = ({ name, isReplayed, parent }: Posted) =>
    name !== undefined && !isReplayed && parent !== "";
  return [...groupBy(posts.filter(isNumbered), ({ parent }) => parent).values()].flatMap(outOfOrderIn);
}

function outOfOrderIn(siblings: readonly Posted[]): string[] {
  const problems: string[] = [];
  const byEnd = [...siblings].sort((a, b) => b.endedMs - a.endedMs);
  let greatest: Posted | undefined;
  for (const post of [...siblings].sort((a, b) => a.beganMs - b.beganMs)) {
    while ((byEnd.at(-1)?.endedMs ?? Infinity) < post.beganMs) greatest = greaterOf(greatest, byEnd.pop());
    if (greatest && numberOf(greatest) > numberOf(post))
      problems.push(describeActs(`${placeOf(post)} came after ${placeOf(greatest)}`, [greatest, post]));
  }
  return problems;
}

function numberOf(post: Posted | undefined): number {
  return Number(post?.name ?? 0);
}

function greaterOf(one: Posted | undefined, other: Posted | undefined): Posted | undefined {
  return numberOf(one) > numberOf(other) ? one : other;
}
