import { waitFor } from "./wait-for.ts";
import type { Workspace } from "./workspace.ts";

/**
 * Resolves when so many statements of a form are being carried out: those that a lock of the test's holds up. What
 * InnoDB itself tells of waits is a copy that is not renewed while somebody keeps asking.
 */
export async function untilHeldUp({ sql, config }: Workspace, form: string, count = 1): Promise<void> {
  const running = async () => {
    const [rows] = (await sql.raw(
      `select id from information_schema.processlist
       where db = ? and command = 'Query' and info like ? and id <> connection_id()`,
      [config.database.name, form],
    )) as [unknown[]];
    return rows.length >= count;
  };
  await waitFor(running, { what: `${count} statements to be held up: ${form}` });
}
