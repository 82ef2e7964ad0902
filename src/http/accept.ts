import { nanoid } from "nanoid";

import type { Buffer } from "../buffer/buffer.ts";
import type { Parent } from "../buffer/references.ts";
import { bufferFull, bufferUnavailable, idempotencyKeyReused } from "../errors.ts";
import { encodeRecord } from "../records/payload.ts";
import { type Content, newRecord } from "../records/records.ts";
import type { EpochGuard } from "../epoch-guard.ts";
import type { Store } from "../store/store.ts";
import { ParentLoader } from "./parent-loader.ts";
import type { Accepted, Acceptor, Idempotency } from "./services.ts";
import { answerable } from "./unavailable.ts";

/** Characters of an operation id: 96 random bits, compared only between two records of the same number. */
const operationIdLength = 16;

/** Calls until a parent is known: to find that it is not, after a loss was noticed, after it was loaded; and to spare. */
const maxAttempts = 8;

/** The fast path: one script call, and a look into MySQL only for a parent that Redis does not know. */
export function createAcceptor(buffer: Buffer, store: Store, epochs: EpochGuard): Acceptor {
  const parents = new ParentLoader(buffer, store, epochs);

  async function accept(
    parent: Parent,
    { text, fields }: Content,
    requestKey?: Idempotency,
  ): Promise<Accepted> {
    parents.refuseUnknown(parent);
    const partition = buffer.partitionOf(parent.token);
    const createdAt = new Date();
    const createdAtMs = createdAt.getTime();
    const payload = encodeRecord(newRecord(nanoid(operationIdLength), createdAtMs, text, fields));
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      // Each time: only a Redis that was compared with MySQL since it was connected to may give a number.
      if (!epochs.isVerified(partition)) {
        await answerable(epochs.verify(partition));
        continue;
      }
      const reply = await answerable(buffer.accepting.accept(parent, { payload, createdAtMs, requestKey }));
      switch (reply.kind) {
        case "accepted":
          return { number: reply.number, createdAt, isReplayed: false };
        case "replayed":
          return { number: reply.number, createdAt: new Date(reply.createdAtMs), isReplayed: true };
        case "key-reused":
          throw idempotencyKeyReused();
        case "full":
          throw bufferFull();
        case "deleted-parent":
          throw await parents.describeDeleted(parent);
        case "unknown-parent":
          await parents.load(parent);
          break;
        case "reconnected":
      }
    }
    // Redis lost the parent again and again while it was being loaded.
    throw bufferUnavailable();
  }

  return {
    chat: (token, content, idempotency) => accept({ token }, content, idempotency),
    message: (token, chatNumber, content, idempotency) => accept({ token, chatNumber }, content, idempotency),
  };
}
