import { Buffer as Bytes } from "node:buffer";
import path from "node:path";

import type { Buffer } from "../buffer/buffer.ts";
import type { JobName } from "../buffer/job-runs.ts";
import { recordOf } from "../buffer/dead-letters.ts";
import { SnapshotError } from "../buffer/rdb/cursor.ts";
import type { BackupDirectory, BackupFile } from "../jobs/backup-directory.ts";
import { maxTitleCharacters } from "../records/fields.ts";
import { fits, isBlank } from "../records/text.ts";
import { applicationFingerprint, type Logger } from "../telemetry.ts";
import type { Operator } from "./access/operator.ts";
import { Refusal } from "./refusal.ts";

/** Done side by side, so that a thousand take no thousand round trips. */
const atOnce = 100;

/** What an operator can do. Each act is in the log and in the audit trail, with what came of it. */
export class Actions {
  readonly #buffer: Buffer;
  readonly #logger: Logger;
  readonly #messageMaxBytes: number;

  constructor(buffer: Buffer, logger: Logger, messageMaxBytes: number) {
    this.#buffer = buffer;
    this.#logger = logger;
    this.#messageMaxBytes = messageMaxBytes;
  }

  /** Asks the flushers to flush partitions now. */
  async flush(operator: Operator, partitions: readonly number[]): Promise<void> {
    await Promise.all(partitions.map((partition) => this.#buffer.wake(partition, "manual")));
    await this.#note(operator, `flush of ${partitions.length} partition(s)`, "asked for");
  }

  async pause(operator: Operator, partition: number): Promise<void> {
    await this.#buffer.pauses.pause(partition, operator.who);
    await this.#note(operator, `pause partition ${partition}`, "done");
  }

  async resume(operator: Operator, partition: number): Promise<void> {
    const wasPaused = await this.#buffer.pauses.resume(partition);
    await this.#note(operator, `resume partition ${partition}`, wasPaused ? "done" : "was not paused");
  }

  /** Lists dead letters for the next flush; answers how many of them there still were. */
  async requeue(operator: Operator, ids: readonly string[]): Promise<number> {
    const done = await this.#each(ids, (id) => this.#buffer.deadLetters.requeue(id));
    await this.#note(operator, `requeue ${describe(ids)}`, `${done} of ${ids.length} done`);
    return done;
  }

  /** Throws dead letters away; answers how many of them there still were. */
  async discard(operator: Operator, ids: readonly string[]): Promise<number> {
    const done = await this.#each(ids, (id) => this.#buffer.deadLetters.discard(id));
    await this.#note(operator, `discard ${describe(ids)}`, `${done} of ${ids.length} done`);
    return done;
  }

  /** Puts another text in place of a refused one and requeues it. @throws {Refusal} where that cannot be */
  async replace(operator: Operator, id: string, seen: string, given: string): Promise<void> {
    const text = this.#checkedText(id, given);
    const outcome = await this.#buffer.deadLetters.replace(id, seen, text);
    await this.#note(operator, `edit ${describe([id])}`, outcome);
    if (outcome === "full")
      throw new Refusal(503, "The buffer is full.", "Try again when it has flushed.", 5);
    if (outcome !== "revised") {
      throw new Refusal(409, "This dead letter is no longer what you saw.", "Look at the list again.");
    }
  }

  /** Asks whichever flusher looks first to run a job. */
  async runJob(operator: Operator, job: JobName): Promise<void> {
    await this.#buffer.jobs.request(job);
    await this.#note(operator, `run job ${job}`, "asked for");
  }

  /** Reads a backup whole. @throws {Refusal} where it is no longer what was written */
  async verify(operator: Operator, directory: BackupDirectory, file: BackupFile): Promise<void> {
    const fault = await directory.verify(file).then(
      () => undefined,
      (error: unknown) => (error instanceof SnapshotError ? error.message : "it cannot be read"),
    );
    await this.#note(operator, `verify ${path.basename(file.path)}`, fault ?? "whole");
    if (fault === undefined) return;
    throw new Refusal(422, `This backup is no good: ${fault}.`, "Take another, and look after the disk.");
  }

  async unblock(operator: Operator, address: string): Promise<void> {
    const wasListed = await this.#buffer.blockedAddresses.remove(address);
    await this.#note(operator, `unblock ${address}`, wasListed ? "done" : "was not listed");
  }

  /** The rules of the API for a title or a body; line ends as a program would send them. */
  #checkedText(id: string, given: string): string | null {
    const text = given.replaceAll("\r\n", "\n");
    const isChat = recordOf(id)?.chatNumber === undefined;
    if (isChat && text === "") return null;
    const isTooLong = isChat
      ? !fits(text, maxTitleCharacters)
      : Bytes.byteLength(text) > this.#messageMaxBytes;
    if (isTooLong) {
      const most = isChat ? `${maxTitleCharacters} characters` : `${this.#messageMaxBytes} bytes`;
      throw new Refusal(422, "The text is too long.", `It may have ${most}.`);
    }
    if (!isChat && isBlank(text)) throw new Refusal(422, "A body can't be blank.", "Go back and write one.");
    return text;
  }

  async #each(ids: readonly string[], act: (id: string) => Promise<boolean>): Promise<number> {
    let done = 0;
    for (let at = 0; at < ids.length; at += atOnce) {
      const outcomes = await Promise.all(ids.slice(at, at + atOnce).map(act));
      done += outcomes.filter(Boolean).length;
    }
    return done;
  }

  async #note({ who, from }: Operator, act: string, outcome: string): Promise<void> {
    this.#logger.info({ who, from, act, outcome }, "operator acted");
    await this.#buffer.audit.add({ at: new Date(), who, from, act, outcome });
  }
}

/** Names dead letters without the tokens in their ids. */
function describe(ids: readonly string[]): string {
  const [id = ""] = ids;
  if (ids.length !== 1) return `${ids.length} dead letters`;
  const [token = "", ...numbers] = id.split(":");
  return `dead letter ${applicationFingerprint(token)}:${numbers.join(":")}`;
}
