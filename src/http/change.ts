import { nanoid } from "nanoid";

import type { Buffer } from "../buffer/buffer.ts";
import type { Seen } from "../buffer/pending-reads.ts";
import { applicationNotFound, bufferFull, bufferUnavailable, idempotencyKeyReused } from "../errors.ts";
import {
  type Application,
  type Content,
  namesAll,
  noFields,
  type PendingRecord,
} from "../records/records.ts";
import type { Store } from "../store/store.ts";
import { finishDeletion } from "./half-deleted.ts";
import { chatsOf, messagesOf, type Numbered } from "./numbered.ts";
import type { Changer, CreatedApplication, Idempotency, Reader } from "./services.ts";
import { answerable } from "./unavailable.ts";

/** Characters of an application's token: 132 random bits, URL-safe. */
const tokenLength = 22;

/** Characters of a revision: 48 random bits, compared only between the revisions of one record. */
const revisionLength = 8;

/** Looks at a record that others keep changing, before this change gives up. */
const maxAttempts = 20;

/**
 * Changes records where they are: applications in MySQL, chats and messages in the buffer, from which a flush
 * takes the change to MySQL. So a change is seen at once, also while MySQL is writing what it changes.
 */
export function createChanger(buffer: Buffer, store: Store, read: Reader): Changer {
  const change = <T>(numbered: Numbered<T>, number: number, edit: Edit, look: () => Promise<unknown>) =>
    changeRecord(buffer, numbered, number, edit, look);

  return {
    createApplication: (name, idempotency) => createApplication(buffer, store, name, idempotency),

    async updateApplication(token, name) {
      await answerable(store.applications.rename(token, name, new Date()));
      return read.application(token);
    },

    async deleteApplication(token) {
      if (!(await answerable(store.applications.delete(token)))) {
        await answerable(finishDeletion(buffer, store, token));
        throw applicationNotFound(token);
      }
      await answerable(buffer.revising.markDeleted({ token }, "ever"));
      await answerable(buffer.wake(buffer.partitionOf(token), "threshold"));
    },

    async updateChat(token, number, wanted) {
      const look = () => read.chat(token, number);
      if (changesAnything(wanted)) await change(chatsOf(store, token), number, wanted, look);
      return look();
    },

    async deleteChat(token, number) {
      await change(chatsOf(store, token), number, "delete", () => read.chat(token, number));
    },

    async updateMessage(token, chatNumber, number, wanted) {
      const look = () => read.message(token, chatNumber, number);
      await change(messagesOf(store, token, chatNumber), number, wanted, look);
      return look();
    },

    async deleteMessage(token, chatNumber, number) {
      const look = () => read.message(token, chatNumber, number);
      await change(messagesOf(store, token, chatNumber), number, "delete", look);
    },
  };
}

type Edit = Partial<Content> | "delete";

function changesAnything({ text, fields = noFields }: Partial<Content>): boolean {
  return text !== undefined || Object.keys(fields).length > 0;
}

/**
 * Makes the change on what the record is at that moment. Where there is none, `look` tells the client so by what it
 * throws; if it finds one, that came to be in between, and is changed.
 */
async function changeRecord<T>(
  buffer: Buffer,
  numbered: Numbered<T>,
  number: number,
  edit: Edit,
  look: () => Promise<unknown>,
): Promise<void> {
  const place = { ...numbered.parent, number };
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const seen = await answerable(buffer.reads.find(place));
    const current = seen.kind === "gone" ? undefined : await currentOf(seen, numbered, number);
    if (seen.kind === "gone" || !current || current.isDeleted) {
      await look();
      continue;
    }
    const reply = await answerable(buffer.revising.revise(place, seen, edited(current, edit)));
    if (reply.kind === "revised") return;
    if (reply.kind === "full") throw bufferFull();
    if (reply.kind === "gone") await look();
  }
  throw bufferUnavailable();
}

async function currentOf<T>(
  seen: Seen,
  { stored, kind }: Numbered<T>,
  number: number,
): Promise<PendingRecord | undefined> {
  if (seen.kind !== "absent" && (seen.kind !== "revision" || namesAll(kind, seen.record.fields)))
    return seen.record;
  const row = await answerable(stored.findForChange(number));
  // A change by an older version says nothing of the fields that it does not know.
  if (!row || seen.kind === "absent") return row;
  return { ...seen.record, fields: { ...row.fields, ...seen.record.fields } };
}

/** The record after the change. Its time is later than that of any change before, whatever the clocks say. */
function edited(current: PendingRecord, edit: Edit): PendingRecord {
  const updatedAtMs = Math.max(Date.now(), current.updatedAtMs + 1);
  const revision = nanoid(revisionLength);
  if (edit === "delete")
    return { ...current, revision, updatedAtMs, text: null, fields: noFields, isDeleted: true };
  const { text = current.text, fields = noFields } = edit;
  return { ...current, revision, updatedAtMs, text, fields: { ...current.fields, ...fields } };
}

async function createApplication(
  buffer: Buffer,
  { applications }: Store,
  name: string,
  idempotency?: Idempotency,
): Promise<CreatedApplication> {
  const proposal = { token: nanoid(tokenLength), createdAtMs: Date.now() };
  const { token, createdAtMs } = idempotency ? await agree(buffer, idempotency, proposal) : proposal;
  const createdAt = new Date(createdAtMs);
  const application: Application = { token, name, chatsCount: 0, createdAt, updatedAt: createdAt };
  // Another call with this key may have got as far as MySQL, and what it made may be deleted by now.
  const partition = buffer.partitionOf(token);
  const creating = idempotency
    ? applications.createOnce(application, partition)
    : applications.create(application, partition);
  await answerable(creating);
  return { application, isReplayed: token !== proposal.token };
}

interface Proposal {
  readonly token: string;
  readonly createdAtMs: number;
}

/** Settles, before anything is written, which application the calls with one key are about. */
async function agree(
  buffer: Buffer,
  { key, fingerprint }: Idempotency,
  { token, createdAtMs }: Proposal,
): Promise<Proposal> {
  const value = `${fingerprint} ${token} ${createdAtMs}`;
  const agreed = await answerable(buffer.rememberFirst(key, value));
  const [known, agreedToken = token, agreedAt] = agreed.split(" ");
  if (known !== fingerprint) throw idempotencyKeyReused();
  return { token: agreedToken, createdAtMs: Number(agreedAt) };
}
