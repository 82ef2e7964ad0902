import type { Workspace } from "../support/workspace.ts";

const head = "refused ";
const textColumns = { chats: "title", messages: "body" } as const;

/** Makes MySQL refuse texts that begin so. */
export async function refuseTexts({ sql }: Workspace): Promise<string> {
  for (const [table, column] of Object.entries(textColumns))
    await sql.raw(
      `alter table ${table} add constraint ${table}_refusals check (${column} not like '${head}%')`,
    );
  return head;
}

/** Makes it take all texts again. */
export async function takeAllTexts({ sql }: Workspace, refusedHead: string): Promise<void> {
  if (refusedHead === "") return;
  for (const table of Object.keys(textColumns))
    await sql.raw(`alter table ${table} drop constraint ${table}_refusals`);
}

/** Whether MySQL refuses a text while it refuses any. */
export function isRefused(text: string): boolean {
  return text.startsWith(head);
}
