/**
 * What it means that a message matches a query, and how well: one pure definition for every engine, and for
 * messages that are in no engine yet. Text is made comparable (`fold`), the borders of its words are marked
 * (`mark`), and from then on every question is whether one string contains another.
 */

/** How well a message matches; a lower rank comes first. */
export const ranks = {
  /** The query as a whole, beginning and ending where words do. */
  phrase: 0,
  /** Every term as a whole word. */
  words: 1,
  /** Every term at the start of a word. */
  starts: 2,
  /** Every term somewhere, also inside a word. */
  inside: 3,
} as const;
export type Rank = (typeof ranks)[keyof typeof ranks];

/** Stands in marked text wherever a word begins or ends. Private use: no text of a user keeps it. */
const border = "\uE000";
/** Stands for a character that cannot be searched for: our own border, or half of a surrogate pair. */
const unsearchable = "\uFFFD";
const notText = /[\uE000\p{Cs}]/gu;

/**
 * Marks that are accents, and no letters of their own: those common to several scripts, and those of scripts
 * that are also written without. Elsewhere, as in Devanagari or Thai, marks are vowels, without which words
 * could not be told apart; nor is the Japanese voicing mark an accent.
 */
const accents =
  /(?=\p{M})(?![\u3099\u309A])[\p{Script=Inherited}\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}]/gu;
/** Joiners, direction marks, soft hyphens: nobody sees or types them. */
const invisible = /\p{Cf}/gu;

/**
 * The form in which texts are compared: without case and accents, compatible forms (ﬁ, Ａ, ㎏, ﷺ) spelt out, runs
 * of white space as one space, none at the ends. The four Turkish i are one letter, and ß is ss.
 */
export function fold(text: string): string {
  const plain = isAscii.test(text) ? text.toLowerCase() : foldLetters(text);
  return (unevenSpace.test(plain) ? plain.replace(/\s+/g, " ") : plain).trim();
}

// eslint-disable-next-line no-control-regex -- all of ASCII, its control characters included
const isAscii = /^[\x00-\x7F]*$/;
const unevenSpace = /[^\S ]| {2}/;

function foldLetters(text: string): string {
  return (
    text
      .replace(notText, unsearchable)
      .normalize("NFKD")
      .replace(accents, "")
      .normalize("NFC")
      .replace(invisible, "")
      // There and back: some letters meet only in their capitals (ß and ss, ı and i), one (ẞ) only before.
      .toLowerCase()
      .toUpperCase()
      .toLowerCase()
      .replaceAll("ς", "σ")
  );
}

const word = /[\p{L}\p{N}\p{M}]+/gu;

/** Folds a text and marks both ends of each of its words: runs of letters and digits. Other scripts' too. */
export function mark(text: string): string {
  return markFolded(fold(text));
}

function markFolded(folded: string): string {
  return folded.replace(word, `${border}$&${border}`);
}

/** A part of a query between white space, in the three forms in which marked text is asked for it. */
export interface Term {
  /** Folded, without borders. */
  readonly text: string;
  readonly inside: string;
  readonly start: string;
  readonly whole: string;
}

/** What is searched for. */
export interface Query {
  readonly terms: readonly Term[];
  /** All of it, with borders. */
  readonly phrase: string;
}

export const maxQueryCharacters = 256;
export const maxQueryTerms = 32;

type ParsedQuery =
  | { readonly kind: "query"; readonly query: Query }
  | { readonly kind: "blank" | "too-long" | "too-many-terms" };

/** Reads what a user searches for. Every character stands for itself; nothing is syntax. */
export function parseQuery(text: string): ParsedQuery {
  if (lengthOf(text) > maxQueryCharacters) return { kind: "too-long" };
  const folded = fold(text);
  if (folded === "") return { kind: "blank" };
  const terms = [...new Set(folded.split(" "))];
  if (terms.length > maxQueryTerms) return { kind: "too-many-terms" };
  return { kind: "query", query: { terms: terms.map(toTerm), phrase: mark(text) } };
}

function toTerm(text: string): Term {
  const whole = mark(text);
  const start = whole.endsWith(border) ? whole.slice(0, -1) : whole;
  const inside = start.startsWith(border) ? start.slice(1) : start;
  return { text, inside, start, whole };
}

/** In code points, as users count them. */
export function lengthOf(text: string): number {
  return Array.from(text).length;
}

/** How well a marked text matches a query, or nothing where a term is missing. */
export function rankOf(marked: string, { terms, phrase }: Query): Rank | undefined {
  if (!terms.every(({ inside }) => marked.includes(inside))) return undefined;
  if (marked.includes(phrase)) return ranks.phrase;
  if (terms.every(({ whole }) => marked.includes(whole))) return ranks.words;
  if (terms.every(({ start }) => marked.includes(start))) return ranks.starts;
  return ranks.inside;
}

/** The same of a text as it was written; quick where it does not match, as most of a chat's messages. */
export function rankOfText(text: string, query: Query): Rank | undefined {
  const folded = fold(text);
  // Borders within a term follow from its own characters: without them it is there, or not, all the same.
  if (!query.terms.every((term) => folded.includes(term.text))) return undefined;
  return rankOf(markFolded(folded), query);
}
