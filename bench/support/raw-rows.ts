import { format } from "mysql2";
import { type Connection, createConnection as connect } from "mysql2/promise";

import type { Workspace } from "../../test/support/workspace.ts";
import { type Chat, messageJson } from "./stage.ts";

const insert =
  "insert into messages (application_token, chat_number, number, body, operation_id, created_at, updated_at) values ?";

/** Rows of a statement, as many as a flush has at most by default. */
export const rowsPerStatement = 1000;

/**
 * The statements that write messages to chats by turns, each of a thousand rows in the order of their keys: the same
 * rows in the same batches as a flush has them.
 */
export function* statements(chats: readonly Chat[], count: number): Generator<string> {
  const { body } = JSON.parse(messageJson) as { body: string };
  const now = new Date();
  for (let from = 0; from < count; from += rowsPerStatement) {
    const rows = Array.from({ length: Math.min(rowsPerStatement, count - from) }, (_, at) => {
      const { token, chatNumber } = chats[(from + at) % chats.length] ?? { token: "", chatNumber: 0 };
      const number = Math.floor((from + at) / chats.length) + 1;
      return { token, chatNumber, number, operationId: String(from + at).padStart(16, "0") };
    });
    const values = rows
      .sort(byKey)
      .map((row) => [row.token, row.chatNumber, row.number, body, row.operationId, now, now]);
    yield format(insert, [values], false, "Z");
  }
}

function byKey(a: Chat & { number: number }, b: Chat & { number: number }): number {
  if (a.token !== b.token) return a.token < b.token ? -1 : 1;
  return a.chatNumber - b.chatNumber || a.number - b.number;
}

/** A connection of the driver alone, each statement committed by itself. */
export function connectRaw({ config: { database } }: Workspace): Promise<Connection> {
  return connect({
    ...(database.socketPath === undefined
      ? { host: database.host, port: database.port }
      : { socketPath: database.socketPath }),
    user: database.username,
    password: database.password,
    database: database.name,
    charset: "utf8mb4",
    timezone: "Z",
  });
}
