import type { Model, Timed } from "./linearize.ts";

/** What a record is at a moment: not yet there, gone for good, or there with a text. */
export type Form = "absent" | "gone" | `=${string}`;

/** What is done to a record, or to all of them, and what is seen of it. */
export type Deed =
  | { readonly do: "create" | "update"; readonly text: string }
  | { readonly do: "delete" }
  /** What it belongs to is deleted, whatever became of it before. */
  | { readonly do: "delete parent" }
  /** An operator throws a dead letter of it away. */
  | { readonly do: "discard" }
  | { readonly do: "see"; readonly text: string }
  /** It is there, with whatever text; or it is not. */
  | { readonly do: "see it there" }
  | { readonly do: "miss" }
  /** Nothing waits for its flush: MySQL has all of it, but for what it refuses. */
  | { readonly do: "drain" }
  /** A copy is made of what Redis has. */
  | { readonly do: "copy" }
  /** Redis loses all it has. */
  | { readonly do: "lose" }
  /** What Redis has is replaced by the copy. */
  | { readonly do: "put back" };

/** A deed and its time. */
export type RecordOperation = Deed & Timed;

/**
 * A record in two stores. While it is settled it has one form. After a loss it may have any that it had since MySQL
 * last had all of it (or since it had before the copy was made), may change from one to another as what an older copy
 * holds is written again, and is settled when nothing waits any more.
 */
export interface RecordState {
  readonly forms: readonly Form[];
  readonly isSettled: boolean;
  /** The forms since MySQL last had all of it: to which a loss may take it back. */
  readonly sinceDrain: readonly Form[];
  /** The forms since MySQL last had all of it before the copy was made. */
  readonly sinceCopy: readonly Form[];
}

/** What clients may see of a record; `isRefused` says which texts MySQL does not take. */
export function modelOfRecord<Operation extends Deed = RecordOperation>(
  isRefused: (text: string) => boolean,
): Model<RecordState, Operation> {
  return {
    initial: { forms: ["absent"], isSettled: true, sinceDrain: ["absent"], sinceCopy: ["absent"] },
    step: (state, deed) => step(state, deed, isRefused),
    keyOf: ({ forms, isSettled, sinceDrain, sinceCopy }) =>
      JSON.stringify([forms, isSettled, sinceDrain, sinceCopy]),
    isLook: (deed) => deed.do === "see" || deed.do === "see it there" || deed.do === "miss",
  };
}

function step(state: RecordState, deed: Deed, isRefused: (text: string) => boolean): readonly RecordState[] {
  switch (deed.do) {
    case "see":
    case "see it there":
    case "miss":
      return state.forms.some((form) => looksLike(form, deed)) ? [state] : [];
    case "drain":
      return state.forms.map((form) => settled(state, form, isRefused));
    case "copy":
      return [{ ...state, sinceCopy: state.sinceDrain }];
    case "lose":
      return [unsettled(state, state.sinceDrain)];
    case "put back":
      return [unsettled(state, state.sinceCopy)];
    default:
      return changed(state, deed, isRefused);
  }
}

function looksLike(form: Form, deed: Deed): boolean {
  if (deed.do === "see") return form === `=${deed.text}`;
  return isThere(form) === (deed.do === "see it there");
}

function settled(state: RecordState, form: Form, isRefused: (text: string) => boolean): RecordState {
  const isKept = isThere(form) && isRefused(form.slice(1));
  return {
    ...state,
    forms: [form],
    isSettled: true,
    sinceDrain: isKept ? union(state.sinceDrain, [form]) : [form],
  };
}

function unsettled(state: RecordState, forms: readonly Form[]): RecordState {
  return { ...state, forms, isSettled: forms.length === 1, sinceDrain: forms };
}

type Change = Extract<Deed, { do: "create" | "update" | "delete" | "delete parent" | "discard" }>;

function changed(state: RecordState, change: Change, isRefused: (text: string) => boolean): RecordState[] {
  const outcomes = state.forms.flatMap((form) => formsAfter(form, change, state, isRefused));
  const keep = (next: readonly Form[]): RecordState => ({
    forms: next,
    isSettled: state.isSettled,
    sinceDrain: union(state.sinceDrain, next),
    sinceCopy: union(state.sinceCopy, next),
  });
  if (state.isSettled) return outcomes.map((form) => keep([form]));
  return outcomes.length === 0 ? [] : [keep(union(state.forms, outcomes))];
}

/** What a record of one form may be after a change; nothing where there is nothing to be changed. */
function formsAfter(
  form: Form,
  change: Change,
  { sinceDrain }: RecordState,
  isRefused: (text: string) => boolean,
): readonly Form[] {
  if (change.do === "create") return form === "absent" ? [`=${change.text}`] : [];
  if (change.do === "delete parent") return ["gone"];
  if (!isThere(form)) return [];
  if (change.do === "update") return [`=${change.text}`];
  if (change.do === "delete") return ["gone"];
  // A record that was new is gone; of a changed one the row stays as it was.
  const rows = sinceDrain.filter((earlier) => isThere(earlier) && !isRefused(earlier.slice(1)));
  return isRefused(form.slice(1)) ? ["gone", ...rows] : [];
}

function isThere(form: Form): boolean {
  return form.startsWith("=");
}

function union(forms: readonly Form[], more: readonly Form[]): readonly Form[] {
  return [...new Set([...forms, ...more])].sort();
}
