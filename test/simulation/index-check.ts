/** Compares the search index with MySQL in the end, when it is owed nothing any more. */
import { digestOf, documentId } from "../../src/search/documents.ts";
import { mark } from "../../src/search/matching.ts";
import type { Model } from "./model.ts";
import type { Stage } from "./stage.ts";

/** Each message that MySQL has in a chat can be found as it is, and no other. */
export async function compareIndex({ mysql, index }: Stage, model: Model): Promise<void> {
  // A MySQL that was put back may have messages whose chat it has not.
  const rows = await mysql.sql(
    `select m.application_token, m.chat_number, m.number, m.body from messages m
     join chats c on c.application_token = m.application_token and c.number = m.chat_number`,
  );
  const stored = rows.map((row) => {
    const [chatNumber, number] = [Number(row["chat_number"]), Number(row["number"])];
    const id = documentId({ token: String(row["application_token"]), chatNumber, number });
    return [id, digestOf(mark(String(row["body"])))] as const;
  });
  const missing = new Map(stored);
  for (const document of index.documents) {
    const { token, chat_number: chatNumber, number, digest, text } = document;
    const id = documentId({ token, chatNumber, number });
    const expected = missing.get(id);
    missing.delete(id);
    if (expected === undefined) model.report("the index: a document of no message", `${id}: ${text}`);
    else if (expected !== digest) model.report("the index: an old document", `${id}: ${text}`);
  }
  for (const id of missing.keys()) model.report("the index: a message without a document", id);
}
