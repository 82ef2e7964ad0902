import { format } from "mysql2";
import { nanoid } from "nanoid";
import { type Connection, createConnection as connect } from "mysql2/promise";

import type { Workspace } from "../../test/support/workspace.ts";

export interface Chat {
  readonly token: string;
  readonly chatNumber: number;
}

/** About as long as what people write. */
export const bodyBytes = 100;
export const text = "All work and no play makes a dull queue. ".repeat(3).slice(0, bodyBytes);

const operationIdLength = 16;

const columns = "application_token, chat_number, number, body, operation_id, created_at, updated_at";
const insert = `insert into messages (${columns}) values ?`;

/** Rows of a statement, as many as a flush has at most by default. */
export const rowsPerStatement = 1000;

/**
 * The statements that write messages to chats by turns, each of a thousand rows in the order of their keys: the same
 * rows in the same batches as a flush has them.
 */
export function* statements(chats: readonly Chat[], count: number): Generator<string> {
  const now = new Date();
  for (let from = 0; from < count; from += rowsPerStatement) {
    const rows = Array.from({ length: Math.min(rowsPerStatement, count - from) }, (_, at) => {
      const { token, chatNumber } = chats[(from + at) % chats.length] ?? { token: "", chatNumber: 0 };
      const number = Math.floor((from + at) / chats.length) + 1;
      return { token, chatNumber, number, operationId: String(from + at).padStart(operationIdLength, "0") };
    });
    const values = rows
      .sort(byKey)
      .map((row) => [row.token, row.chatNumber, row.number, text, row.operationId, now, now]);
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

/** Puts applications and chats into MySQL, and as many messages of each chat as `storedIn` says. */
export async function storeRows(
  workspace: Workspace,
  chats: readonly Chat[],
  storedIn: (at: number) => number,
): Promise<void> {
  await storeParents(workspace, chats);
  await storeMessages(workspace, chats, storedIn);
}

const insertChats =
  "insert into chats (application_token, number, operation_id, created_at, updated_at) values ?";
const chatsPerStatement = 5000;

async function storeParents(workspace: Workspace, chats: readonly Chat[]): Promise<void> {
  const now = new Date();
  const times = { created_at: now, updated_at: now };
  const tokens = [...new Set(chats.map(({ token }) => token))];
  await workspace.sql("applications").insert(tokens.map((token) => ({ token, name: "benchmark", ...times })));
  const inOrder = chats.map((chat) => ({ ...chat, number: 0 })).sort(byKey);
  const values = inOrder.map((chat) => [chat.token, chat.chatNumber, nanoid(operationIdLength), now, now]);
  const connection = await connectRaw(workspace);
  try {
    for (let from = 0; from < values.length; from += chatsPerStatement)
      await connection.query(insertChats, [values.slice(from, from + chatsPerStatement)]);
  } finally {
    await connection.end();
  }
}

/** Rows that are copied at a time: some megabytes. */
const blockRows = 20_000;

/**
 * Stores as many messages of each chat as `storedIn` says: some of the chat that has most, then copies of those, which
 * the server makes by itself. In the order of the keys, so that pages fill.
 */
export async function storeMessages(
  workspace: Workspace,
  chats: readonly Chat[],
  storedIn: (at: number) => number,
): Promise<void> {
  const filled = chats
    .map((chat, at) => ({ ...chat, number: storedIn(at) }))
    .filter(({ number }) => number > 0)
    .sort(byKey);
  const [first] = [...filled].sort((a, b) => b.number - a.number);
  if (!first) return;
  const block = Math.min(blockRows, first.number);
  const connection = await connectRaw(workspace);
  try {
    for (const statement of statements([first], block)) await connection.query(statement);
    for (const { token, chatNumber, number } of filled) {
      const begin = token === first.token && chatNumber === first.chatNumber ? block : 0;
      for (let from = begin; from < number; from += block)
        await connection.query(
          `insert into messages (${columns})
           select ?, ?, number + ?, body, operation_id, created_at, updated_at from messages
           where application_token = ? and chat_number = ? and number <= ?`,
          [token, chatNumber, from, first.token, first.chatNumber, Math.min(block, number - from)],
        );
    }
  } finally {
    await connection.end();
  }
}
