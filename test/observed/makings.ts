import type { Dossier, DossierFile } from "./dossier-file.ts";
import { groupBy } from "./group-by.ts";
import { tell, type Told } from "./looks.ts";
import { parentOf, pathIn, type Post, type Recorded } from "./recorded.ts";

type Posted = Post & Recorded;

/** Takes down what made each record: the post that was answered its number, or one without an answer. */
export function takeMakings(file: DossierFile, posts: readonly Posted[]): void {
  const calls = groupBy(posts, callOf);
  for (const post of posts) {
    if (post.name === undefined) continue;
    const { makings } = file.of(pathIn(post.parent, post.name));
    const making = answered(post, calls.get(callOf(post)) ?? []);
    if (isBetter(making, makings[0])) makings.splice(0, 1, making);
  }
  const unknown = posts.filter(({ outcome }) => outcome === "unknown");
  const [byText, byParent] = [groupBy(unknown, ({ text }) => text), groupBy(unknown, ({ parent }) => parent)];
  for (const dossier of file.all.values()) {
    if (dossier.makings.length > 0) continue;
    const post = seenOf(dossier, byText) ?? byParent.get(parentOf(dossier.path))?.[0];
    if (post) dossier.makings.push(unanswered(post, posts));
  }
}

/** One that is repeated under its key is the same. */
function callOf({ parent, key, text }: Posted): string {
  return `${parent} ${key ?? ` ${text}`}`;
}

/** Who repeats a call is answered what an earlier one has done. */
function answered(post: Posted, calls: readonly Posted[]): Told {
  const beganMs = post.isReplayed ? Math.min(...calls.map((call) => call.beganMs)) : post.beganMs;
  return tell(post, { do: "create", text: post.text }, { beganMs });
}

/** Whether it says more exactly when the record was made. */
function isBetter(making: Told, known: Told | undefined): boolean {
  return !known || (making.beganMs >= known.beganMs && making.endedMs <= known.endedMs);
}

/** The post whose text was seen; one that was changed before anybody saw it may be of any of them. */
function seenOf({ looks }: Dossier, byText: ReadonlyMap<string, readonly Posted[]>): Posted | undefined {
  return looks.texts.map((text) => byText.get(text)?.[0]).find((post) => post !== undefined);
}

function unanswered(post: Posted, posts: readonly Posted[]): Told {
  const calls = posts.filter(({ text }) => text === post.text);
  const beganMs = Math.min(...calls.map((call) => call.beganMs));
  return tell(post, { do: "create", text: post.text }, { beganMs, endedMs: Infinity, isCertain: false });
}
