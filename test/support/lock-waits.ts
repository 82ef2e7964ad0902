import { waitFor } from "./wait-for.ts";
import type { Workspace } from "./workspace.ts";

/**
 * Resolves when so many statements of a form are being carried out: those that a lock of the test's holds up. What
 * InnoDB itself tells of waits is a copy that is not renewed while somebody keeps asking.
 */
export async function untilHeldUp(workspace: Workspace, form: string, count = 1): Promise<void> {
  await waitFor(async () => (await countOf(workspace, form)) >= count, {
    what: `${count} statements to be held up: ${form}`,
  });
}

/** Resolves when no statement of a form is being carried out any more. */
export async function untilNoneIsHeldUp(workspace: Workspace, form: string): Promise<void> {
  await waitFor(async () => (await countOf(workspace, form)) === 0, { what: `the end of ${form}` });
}

async function countOf({ sql, config }: Workspace, form: string): Promise<number> {
  const [rows] = (await sql.raw(
    `select id from information_schema.processlist
     where db = ? and command = 'Query' and info like ? and id <> connection_id()`,
    [config.database.name, form],
  )) as [unknown[]];
  return rows.length;
}
