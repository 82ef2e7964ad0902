import type { Pool } from "mysql2/promise";

/** A job's data. */
export interface QueuedMessage {
  readonly token: string;
  readonly chat: number;
  readonly number: number;
  readonly body: string;
  readonly created_at: string;
}

/** One INSERT of all the jobs it is given. */
export async function insertJobs(
  database: Pool,
  jobs: readonly { readonly id?: string | undefined; readonly data: QueuedMessage }[],
): Promise<void> {
  const rows = jobs.map(({ id = "", data: { token, chat, number, body, created_at } }) => {
    const at = new Date(created_at);
    return [token, chat, number, body, id.padStart(16, "0"), at, at];
  });
  await database.query(
    "insert into messages (application_token, chat_number, number, body, operation_id, created_at, updated_at) values ?",
    [rows],
  );
}
