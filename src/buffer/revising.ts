import { encodeRecord } from "../records/payload.ts";
import type { PendingRecord } from "../records/records.ts";
import type { AcceptLimits } from "./accepting.ts";
import type { BufferHealth } from "./health.ts";
import type { Keys } from "./keys.ts";
import { type Parent, type Place, referenceTo } from "./references.ts";
import type { Seen } from "./pending-reads.ts";
import type { Scripts } from "./scripts.ts";
import { UnexpectedReplyError } from "./scripts.ts";

export type ReviseReply =
  /** The change is what every reader sees from now on; it will reach MySQL. */
  | { readonly kind: "revised" }
  /** The record is no longer what was seen: look again. */
  | { readonly kind: "changed" }
  /** What the record belongs to was deleted. */
  | { readonly kind: "gone" }
  /** As much is pending as may be, or Redis has little memory left. A deletion is never refused for that. */
  | { readonly kind: "full" };

/**
 * Seconds for which a deleted application stays marked once its mark has an end: longer than any of its chats' counters
 * can be there, as those with dead letters are taken along, and than an outage of MySQL that keeps its last pending
 * messages in the list.
 */
export const applicationMarkSeconds = 7 * 24 * 3600;

/** Changes and deletes records, wherever they are, through the buffer. */
export class Revising {
  readonly #scripts: Scripts;
  readonly #keys: Keys;
  readonly #limits: AcceptLimits;
  readonly #health: BufferHealth;

  constructor(scripts: Scripts, keys: Keys, limits: AcceptLimits, health: BufferHealth) {
    this.#scripts = scripts;
    this.#keys = keys;
    this.#limits = limits;
    this.#health = health;
  }

  /**
   * Replaces the record that was seen at a place, if it is still what was seen. A chat that is deleted takes
   * its pending messages with it, and accepts none from then on.
   *
   * @throws {BufferUnavailableError} when Redis did not answer; the change may then have been made.
   */
  async revise(place: Place, seen: Seen, record: PendingRecord): Promise<ReviseReply> {
    const maxBytes = this.#health.bound(this.#limits.maxBytes);
    const { token, chatNumber } = place;
    const partition = this.#keys.partitionOf(token);
    const list = chatNumber === undefined ? "chats" : "messages";
    const keys = [
      this.#keys.meta(partition),
      this.#keys.list(partition, list),
      this.#keys.counter({ token }),
      ...this.#keys.beneath(place),
      this.#keys.deadLetters(partition),
      this.#keys.deadReasons(partition),
    ];
    if (chatNumber === undefined && record.isDeleted) {
      keys.push(...this.#keys.beneath({ token, chatNumber: place.number }));
    }
    const reply = await this.#scripts.run("revise", keys, [
      place.number,
      seen.kind === "absent" ? "" : seen.stamp,
      seen.version,
      encodeRecord(record),
      referenceTo(place, "pending"),
      this.#limits.thresholds[list],
      this.#keys.wakeChannel(partition),
      maxBytes,
    ]);
    return reviseReply(reply);
  }

  /**
   * Marks an application or a chat deleted that MySQL has no row of: nothing beneath it is accepted, found or flushed
   * any more. The mark stays for ever, until it is set again with an end. Answers whether it is deleted: a chat that
   * Redis holds, as it was put back to an older copy, is there again and not marked.
   */
  async markDeleted(parent: Parent, forSeconds: number | "ever"): Promise<boolean> {
    const { token, chatNumber } = parent;
    const keys = [this.#keys.meta(this.#keys.partitionOf(token)), ...this.#keys.beneath(parent)];
    const args: (string | number)[] = [forSeconds === "ever" ? 0 : forSeconds];
    if (chatNumber !== undefined) {
      keys.push(...this.#keys.beneath({ token }).slice(1));
      args.push(chatNumber);
    }
    return (await this.#scripts.run("delete-parent", keys, args)) === 1;
  }
}

function reviseReply(reply: unknown): ReviseReply {
  const kind: unknown = Array.isArray(reply) ? reply[0] : undefined;
  if (kind === "revised" || kind === "changed" || kind === "gone" || kind === "full") return { kind };
  throw new UnexpectedReplyError("revise", reply);
}
