/** What an operator's decision about a dead letter means for the model. */
import type { Begun, Model } from "./model.ts";
import type { RecordModel, Write } from "./record.ts";

/** A dead letter, and the record that it is of. */
export interface Letter {
  readonly id: string;
  readonly record: RecordModel | undefined;
}

/** A dead letter as the program lists it. */
interface ListedLetter {
  readonly id: string;
  readonly token?: string | undefined;
  readonly chatNumber?: number | undefined;
  readonly number?: number | undefined;
}

export function letterOf(model: Model, { id, token, chatNumber, number }: ListedLetter): Letter {
  const path = [token, chatNumber, number].filter((part) => part !== undefined).join(":");
  const application = model.applications.get(token ?? "");
  return { id, record: [...(application?.all() ?? [])].find((one) => one.path === path) };
}

/**
 * Somebody begins to throw a dead letter away. A new record is deleted with it; of a change, the record stays as it was,
 * and so does one that has landed since, but for what is dropped with it in Redis.
 */
export function beginDiscard(model: Model, { id, record }: Letter, begun: Begun): Write | undefined {
  const isChange = /:d?r$/.test(id);
  if (isChange) record?.doubt(["update", "delete"]);
  const hasLanded = record?.left?.isThere === true && record.left.isLetter;
  if (hasLanded) for (const one of record.all()) one.doubt();
  return record && !isChange && !hasLanded
    ? model.beginWrite(record, "delete", "discarded", begun)
    : undefined;
}
