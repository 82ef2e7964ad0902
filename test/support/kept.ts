import { openBuffer } from "../../src/buffer/buffer.ts";
import { readStatus } from "../../src/ops/status.ts";
import { waitFor } from "./wait-for.ts";
import type { Workspace } from "./workspace.ts";

type Kind = "application" | "chat" | "message";

/** A row of MySQL. */
export interface Row {
  readonly kind: Kind;
  readonly token: string;
  readonly chat: string | undefined;
  readonly name: string;
  readonly text: string;
}

/** Waits until nothing is pending, and nothing beneath a deleted record is left to be removed. */
export async function untilDrained(workspace: Workspace): Promise<void> {
  const { redis, flush, buffer: limits } = workspace.config;
  const thresholds = { chats: flush.chatThreshold, messages: flush.messageThreshold };
  const buffer = await openBuffer({ ...redis, limits: { ...limits, thresholds } }, "draining");
  try {
    const isDrained = async () => {
      const { pending } = await readStatus(buffer);
      const removals: unknown = await workspace
        .sql("removals")
        .whereNull("finished_at")
        .first("application_token");
      return pending.chats + pending.messages === 0 && removals === undefined;
    };
    await waitFor(isDrained, { what: "a drained buffer", timeoutMs: 180_000 });
  } finally {
    buffer.close();
  }
}

/** What Redis still holds of records although nothing is pending; nothing, where all is well. */
export async function leftInRedis({ redis, config }: Workspace): Promise<string[]> {
  const problems: string[] = [];
  for (const key of await redis.keys(`${config.redis.namespace}:*`)) {
    const name = key.split(":").slice(2);
    if (["pending", "revisions", "dead", "dead-letters", "conflicts"].includes(name[0] ?? ""))
      problems.push(`Redis still holds ${key}`);
    if (name[0] !== "meta" && name[0] !== "counter") continue;
    const bytes = Number((await redis.hget(key, "bytes")) ?? 0);
    if (bytes !== 0) problems.push(`${key} counts ${bytes} bytes pending`);
  }
  return problems;
}

/** Every row MySQL has. */
export async function allRows({ sql }: Workspace): Promise<Row[]> {
  const applications: ApplicationRow[] = await sql("applications").select("token", "name");
  const chats: ChatRow[] = await sql("chats").select({ token: "application_token" }, "number", "title");
  const messages: MessageRow[] = await sql("messages").select(
    { token: "application_token", chat: "chat_number" },
    "number",
    "body",
  );
  const none = undefined;
  return [
    ...applications.map(({ token, name }) => toRow("application", [token, none, token], name)),
    ...chats.map(({ token, number, title }) => toRow("chat", [token, none, number], title)),
    ...messages.map(({ token, chat, number, body }) => toRow("message", [token, chat, number], body)),
  ];
}

interface ApplicationRow {
  readonly token: string;
  readonly name: string;
}

interface ChatRow {
  readonly token: string;
  readonly number: number;
  readonly title: string | null;
}

interface MessageRow {
  readonly token: string;
  readonly chat: number;
  readonly number: number;
  readonly body: string;
}

type Place = readonly [token: string, chat: number | undefined, name: number | string];

function toRow(kind: Kind, [token, chat, name]: Place, text: string | null): Row {
  return { kind, token, chat: chat?.toString(), name: String(name), text: text ?? "" };
}

/** Operation ids that two rows of a table have. */
export async function repeatedOperationIds({ sql }: Workspace): Promise<string[]> {
  const problems: string[] = [];
  for (const table of ["chats", "messages"]) {
    const repeated: { operation_id: string }[] = await sql(table)
      .select("operation_id")
      .groupBy("operation_id")
      .havingRaw("count(*) > 1");
    problems.push(...repeated.map((one) => `operation ${one.operation_id} is twice in ${table}`));
  }
  return problems;
}
