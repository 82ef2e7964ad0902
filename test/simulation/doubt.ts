/** What is certain after a loss: what MySQL has, as it was acknowledged last, and Redis knows nothing of. */
import type { Model } from "./model.ts";
import type { MysqlServer } from "./mysql-server.ts";
import { contentsOf, isLossNoticeable } from "./product-contents.ts";
import type { RecordModel } from "./record.ts";
import type { Stage } from "./stage.ts";
import type { World } from "./world.ts";

/** Takes from the model what may have been lost just now; answers whether the program can know of it. */
export async function doubt(
  { client, mysql, config }: Stage,
  world: World,
  model: Model,
  what: string,
): Promise<boolean> {
  const contents = await contentsOf(client, config.redis.namespace);
  const isNoticeable = isLossNoticeable(contents, await mysql.sql("select * from partitions"));
  const touched = new Set(contents.payloads.map(({ path }) => path));
  const rows = await rowsByPath(mysql);
  const isWriting = world.events.some(
    ({ process, engine }) => engine === "mysql" && process?.name.startsWith("flush"),
  );
  const isKept = (record: RecordModel): boolean => {
    const settled = record.settledText;
    if (settled === undefined || touched.has(record.path)) return false;
    const isBeneath = [...touched].some((path) => path.startsWith(`${record.path}:`));
    if (settled === "deleted") {
      // Nobody asks MySQL anew for what a counter says that came back unnoticed.
      const isKnown = !isNoticeable && contents.counters.has(record.path);
      return !rows.has(record.path) && !isWriting && !isBeneath && !isKnown;
    }
    return rows.get(record.path) === settled.text && rows.has(record.path);
  };
  model.lose(what, isKept, isNoticeable);
  return isNoticeable;
}

/** Texts of all rows, by path. */
async function rowsByPath(mysql: MysqlServer): Promise<Map<string, unknown>> {
  const rows = await mysql.sql(
    `select token as path, name as text from applications
     union all select concat(application_token, ':', number), title from chats
     union all select concat(application_token, ':', chat_number, ':', number), body from messages`,
  );
  return new Map(rows.map(({ path, text }) => [String(path), text]));
}
