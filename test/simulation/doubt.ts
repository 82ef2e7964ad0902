/**
 * What is certain after a loss. Of one of Redis that will be noticed, all that MySQL and the copy hold together: the
 * newer form of a record counts, and no change brings back what has no row. Otherwise what MySQL has, as it was
 * acknowledged last, and Redis knows nothing of.
 */
import type { Model } from "./model.ts";
import type { MysqlServer } from "./mysql-server.ts";
import type { EngineFault } from "./plan.ts";
import { type Contents, contentsOf, isLossNoticeable, type Payload, saidOf } from "./product-contents.ts";
import type { Left, RecordModel } from "./record.ts";
import type { Stage } from "./stage.ts";
import type { World } from "./world.ts";

/** A row of a record. */
interface Row {
  readonly text: string | null;
  /** Of an application there is none, as it lies in MySQL alone. */
  readonly operationId: string | null;
  readonly updatedAtMs: number;
}

/** What both stores hold at one moment. */
interface Found {
  readonly rows: ReadonlyMap<string, Row>;
  readonly contents: Contents;
}

/** Takes from the model what may have been lost just now; answers whether the program can know of it. */
export async function doubt(
  { client, mysql, config }: Stage,
  { world, model }: { readonly world: World; readonly model: Model },
  what: EngineFault["what"],
): Promise<boolean> {
  const contents = await contentsOf(client, config.redis.namespace);
  const isNoticeable = isLossNoticeable(contents, await mysql.sql("select * from partitions"));
  const found = { rows: await rowsByPath(mysql), contents };
  const isOfMysql = what.startsWith("mysql");
  if (isNoticeable && !isOfMysql && !isWriting(world)) {
    model.keep(what, leftBy(found));
    return true;
  }
  const isKept = keptBy(found, isNoticeable, isWriting(world));
  model.lose(what, isKept, { isNoticeable, isOfMysql });
  return isNoticeable;
}

/** Whether a flusher may have in hand what it read before the loss, and write it all the same. */
function isWriting({ events }: World): boolean {
  return events.some(
    ({ kind, process, label = "" }) =>
      kind === "step" && process?.name.startsWith("flush") && !/^(renew|acquire)-lease/.test(label),
  );
}

/** Of each record what is left of it, where that can be known. */
function leftBy({ rows, contents }: Found): (record: RecordModel) => Left | undefined {
  const payloads = new Map<string, Payload[]>();
  for (const payload of contents.payloads)
    payloads.set(payload.path, [...(payloads.get(payload.path) ?? []), payload]);
  const isOccupied = ({ path }: RecordModel) =>
    contents.payloads.some((payload) => payload.path.startsWith(`${path}:`));
  return (record) => {
    // What was deleted with a chat that is there again may be there again, or not.
    if (record.parent && isBack(record.parent, rows, payloads)) return undefined;
    const [row, mine] = [rows.get(record.path), payloads.get(record.path) ?? []];
    const left = row ? leftOfRow(row, mine) : leftOfNew(mine);
    return left === "gone" ? { isThere: false, isOccupied: isOccupied(record) } : left;
  };
}

/** Whether a chat has been deleted in MySQL, and an older copy of Redis brings it back as a new one. */
function isBack(
  { path, writes }: RecordModel,
  rows: ReadonlyMap<string, Row>,
  payloads: ReadonlyMap<string, readonly Payload[]>,
): boolean {
  return !rows.has(path) && payloads.has(path) && writes.some(({ kind }) => kind === "delete");
}

/** Of a record that has no row: a new one lands, and a change of one that was deleted is dropped. */
function leftOfNew(payloads: readonly Payload[]): Left | "gone" | undefined {
  const all = payloads.map(saidOf);
  if (all.some(({ isDeleted }) => isDeleted)) return "gone";
  const [first, second] = payloads.filter(({ home }) => home !== "revisions").map(saidOf);
  if (second) return undefined;
  return first ? { isThere: true, text: first.text, older: [], isLetter: false } : "gone";
}

/** Of a record that has a row: a later change replaces it, an earlier one is dropped. */
function leftOfRow(
  { text, operationId, updatedAtMs }: Row,
  payloads: readonly Payload[],
): Left | "gone" | undefined {
  const all = payloads.map(saidOf);
  if (all.some((said) => said.operationId !== operationId)) return undefined;
  if (all.some(({ isDeleted, isDiscarded }) => isDeleted && !isDiscarded)) return "gone";
  const [said, second] = all;
  if (second) return undefined;
  const isLetter = payloads.some(({ home }) => home === "dead");
  if (!said || said.isDiscarded) return { isThere: true, text, older: [], isLetter };
  return said.isChanged && said.updatedAtMs > updatedAtMs
    ? { isThere: true, text: said.text, older: [], isLetter: false }
    : { isThere: true, text, older: [said.text], isLetter };
}

/** Whether a record is as it was acknowledged last, where not all can be known. */
function keptBy(
  { rows, contents }: Found,
  isNoticeable: boolean,
  mayWrite: boolean,
): (record: RecordModel) => boolean {
  const touched = new Set(contents.payloads.map(({ path }) => path));
  return (record) => {
    const settled = record.settledText;
    if (settled === undefined || touched.has(record.path)) return false;
    const isBeneath = [...touched].some((path) => path.startsWith(`${record.path}:`));
    if (settled === "deleted") {
      // Nobody asks MySQL anew for what a counter says that came back unnoticed.
      const isKnown = !isNoticeable && contents.counters.has(record.path);
      return !rows.has(record.path) && !mayWrite && !isBeneath && !isKnown;
    }
    return rows.get(record.path)?.text === settled.text && rows.has(record.path);
  };
}

/** All rows, by path. */
async function rowsByPath(mysql: MysqlServer): Promise<Map<string, Row>> {
  const rows = await mysql.sql(
    `select token as path, name as text, null as id, updated_at from applications
     union all select concat(application_token, ':', number), title, operation_id, updated_at from chats
     union all select concat(application_token, ':', chat_number, ':', number), body, operation_id, updated_at
     from messages`,
  );
  return new Map(
    rows.map(({ path, text, id, updated_at: updatedAt }) => [
      String(path),
      {
        text: text as string | null,
        operationId: id as string | null,
        updatedAtMs: Date.parse(`${String(updatedAt).replace(" ", "T")}Z`),
      },
    ]),
  );
}
