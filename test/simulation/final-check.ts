/** Compares what is there in the end, when nothing waits any more, with what clients were told. */
import type { Clients } from "./clients.ts";
import type { Begun, Model } from "./model.ts";
import type { Api } from "./product.ts";
import { type Contents, contentsOf, isLossNoticeable, problemsOf } from "./product-contents.ts";
import type { RecordModel, Write } from "./record.ts";
import type { Stage } from "./stage.ts";

type Row = Readonly<Record<string, unknown>>;

/** Paths of records in Redis: all, and the new ones that MySQL refused. */
interface Buffered {
  readonly all: ReadonlySet<string>;
  readonly dead: ReadonlySet<string>;
}

interface Rows {
  readonly applications: readonly Row[];
  readonly chats: readonly Row[];
  readonly messages: readonly Row[];
}

/** What MySQL refuses here, by its text. */
const isRefused = ({ text }: Pick<Write, "text">) => text?.startsWith("refused") === true;

/** Reads everything as a client does. */
export async function readAll(model: Model, clients: Clients, api: Api): Promise<void> {
  const page = { order: "asc", perPage: 200 } as const;
  await clients.ask(api, "last", { do: "get application" });
  await clients.ask(api, "last", { do: "list chats", page });
  const application = model.applications.get(clients.token);
  for (const chat of [...(application?.children.keys() ?? [])].keys()) {
    await clients.ask(api, "last", { do: "get chat", chat });
    await clients.ask(api, "last", { do: "list messages", chat, page });
  }
}

/** Looks at both stores. */
export async function compareStores(
  stage: Stage,
  model: Model,
  { mayHaveOrphans, mayHaveOldCounts }: { mayHaveOrphans: boolean; mayHaveOldCounts: boolean },
): Promise<void> {
  const contents = await contentsOf(stage.client, stage.config.redis.namespace);
  for (const problem of problemsOf(contents))
    model.report(`buffer: ${problem.replace(/[:\d].*/s, "")}`, problem);
  for (const reference of contents.references) model.report("buffer: not drained", reference);
  for (const { kind, subject, seen } of await stage.disorder()) {
    // What MySQL refused may lie beneath a chat that MySQL has lost.
    if (mayHaveOrphans && kind === "parent-missing") continue;
    model.report(`buffer: ${kind}`, `${subject} ${seen}`);
  }
  const read = (table: string) => stage.mysql.sql(`select * from ${table}`);
  const rows = {
    applications: await read("applications"),
    chats: await read("chats"),
    messages: await read("messages"),
  };
  const begun = model.begin("the end");
  model.tick();
  for (const application of model.applications.values())
    compareApplication(model, application, rows, contents, begun);
  // A MySQL that was put back is noticed with the next flush, which there may not have been.
  const isUnnoticed = isLossNoticeable(contents, await read("partitions"));
  if (!mayHaveOldCounts && !isUnnoticed) compareCounts(model, rows);
  compareIds(model, rows);
  if (!mayHaveOrphans) findOrphans(model, rows);
}

function compareApplication(
  model: Model,
  application: RecordModel,
  rows: Rows,
  contents: Contents,
  begun: Begun,
): void {
  const pathsIn = (isWanted: (home: string) => boolean) =>
    new Set(contents.payloads.filter(({ home }) => isWanted(home)).map(({ path }) => path));
  const buffered = { all: pathsIn(() => true), dead: pathsIn((home) => home === "dead") };
  const compare = (parent: RecordModel, found: readonly Row[], column: string) => {
    const interval = model.intervalOf(begun);
    const numbers = new Set<number>();
    for (const row of found) {
      const [number, text] = [Number(row["number"]), row[column] as string | null];
      numbers.add(number);
      compareRow(model, model.seen(parent, number, text, interval), text, buffered.all, begun);
    }
    for (const record of parent.children.values())
      if (!numbers.has(record.number)) missing(model, record, buffered, begun);
  };
  const isOf = (row: Row) => row["application_token"] === application.path;
  compare(application, rows.chats.filter(isOf), "title");
  for (const chat of application.children.values()) {
    const isIn = (row: Row) => isOf(row) && Number(row["chat_number"]) === chat.number;
    compare(chat, rows.messages.filter(isIn), "body");
  }
}

/** Of a record whose change MySQL refused, the row is as it was: changes that were never flushed went with that one. */
function compareRow(
  model: Model,
  record: RecordModel,
  text: string | null,
  buffered: ReadonlySet<string>,
  begun: Begun,
): void {
  const isOld = () => buffered.has(record.path) && record.writes.some(isRefused);
  if (record.mustBeGone(begun.from)) model.report(`a row of a deleted ${record.level}`, record.shownPath);
  else if (!record.mayShow(text, model.intervalOf(begun), isOld))
    model.report(
      `a row of a ${record.level} is not as it was acknowledged`,
      `${record.shownPath} is ${text}`,
    );
}

/**
 * Of a record that MySQL refused, or whose chat it refused, there is no row, also where the chat was mended since. A
 * change that was refused kills nothing beneath; of several texts that were, the first may have been that of a new chat.
 */
function missing(model: Model, record: RecordModel, buffered: Buffered, begun: Begun): void {
  if (!record.mustExist(model.intervalOf(begun))) return;
  const wasRefused = record.line.some(({ writes }) => writes.some(isRefused));
  const isDead = buffered.dead.has(record.path);
  const isChat = record.level === "chat";
  const chat = isChat || !record.parent ? record : record.parent;
  if (isDead && wasRefused && (isChat || !isSpared(chat, buffered) || record.writes.some(isRefused))) return;
  model.report(`an acknowledged ${record.level} ${isDead ? "is dead" : "has no row"}`, record.shownPath);
}

/** Whether MySQL has refused nothing of a chat for which what lies beneath would die. */
function isSpared(chat: RecordModel, buffered: Buffered): boolean {
  const refusals = chat.writes.filter(isRefused).length;
  return !buffered.dead.has(chat.path) && (refusals === 0 || (refusals === 1 && buffered.all.has(chat.path)));
}

function compareCounts(model: Model, { applications, chats, messages }: Rows): void {
  const compare = (what: string, count: unknown, found: number) => {
    if (Number(count) !== found) model.report("a count is wrong", `${what}: ${String(count)}, not ${found}`);
  };
  for (const { token, chats_count: count } of applications)
    compare("chats", count, chats.filter((chat) => chat["application_token"] === token).length);
  for (const { application_token: token, number, messages_count: count } of chats) {
    const isIn = (row: Row) => row["application_token"] === token && row["chat_number"] === number;
    compare(`messages of chat ${String(number)}`, count, messages.filter(isIn).length);
  }
}

function compareIds(model: Model, { chats, messages }: Rows): void {
  const ids = [...chats, ...messages].map((row) => String(row["operation_id"]));
  if (new Set(ids).size < ids.length) model.report("a record has two rows", "an operation id is there twice");
}

function findOrphans(model: Model, { applications, chats, messages }: Rows): void {
  const tokens = new Set(applications.map(({ token }) => token));
  const key = (token: unknown, number: unknown) => `${String(token)}:${String(number)}`;
  const places = new Set(chats.map((chat) => key(chat["application_token"], chat["number"])));
  const orphans = [
    ...chats.filter((chat) => !tokens.has(chat["application_token"])),
    ...messages.filter((one) => !places.has(key(one["application_token"], one["chat_number"]))),
  ];
  if (orphans.length > 0) model.report("rows beneath nothing", `${orphans.length} rows`);
}
