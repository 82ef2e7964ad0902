import { type Answer, Client } from "../support/client.ts";
import type { Row } from "./checker.ts";
import type { Entry, Ledger } from "./ledger.ts";

const base = "/api/v1/applications";
const perPage = 100;

type Item = Readonly<Record<string, unknown>>;
interface List {
  readonly chats?: readonly Item[];
  readonly messages?: readonly Item[];
  readonly meta: { readonly next_after: number | null };
}

/** Where the lists of the API differ from MySQL's rows; nothing is pending. */
export async function compareReads(client: Client, rows: readonly Row[]): Promise<string[]> {
  const problems: string[] = [];
  const expectList = async (path: string, text: "title" | "body", expected: readonly Row[]) => {
    const read = (await readAll(client, path)).map(
      (item) => `${Number(item["number"])} ${String(item[text])}`,
    );
    const stored = [...expected]
      .sort((a, b) => Number(a.name) - Number(b.name))
      .map((row) => `${row.name} ${row.text}`);
    const differing = [
      ...read.filter((one) => !stored.includes(one)),
      ...stored.filter((one) => !read.includes(one)),
    ];
    if (read.join("\n") !== stored.join("\n"))
      problems.push(`GET ${path} differs in ${String(differing)}`.slice(0, 300));
  };
  const beneath = groupByParent(rows);
  for (const { kind, token, name } of rows) {
    if (kind === "application") await expectList(`${base}/${token}/chats`, "title", beneath.get(token) ?? []);
    if (kind !== "chat") continue;
    const path = `${base}/${token}/chats/${name}/messages`;
    await expectList(path, "body", beneath.get(`${token}/${name}`) ?? []);
  }
  return problems;
}

/** Deleted records that the API still answers. */
export async function readableAfterDeletion(client: Client, ledger: Ledger): Promise<string[]> {
  const problems: string[] = [];
  const deleted = [...ledger.entries.values()].filter(
    (entry) => entry.name !== undefined && entry.mustBeGone,
  );
  for (const entry of deleted) {
    const { status } = await client.get(entry.path);
    if (status !== 404) problems.push(`${entry.kind} ${entry.id} was deleted, and is answered ${status}`);
  }
  return problems;
}

/**
 * Numbers given again: every parent that is there is asked for one more, which must lie above all it ever
 * answered, also those of records that were deleted.
 */
export async function numbersGivenAgain(
  client: Client,
  ledger: Ledger,
  rows: readonly Row[],
): Promise<string[]> {
  const greatest = greatestAnswered(ledger);
  const problems: string[] = [];
  const expectAbove = async (path: string, body: object) => {
    const { status, body: answer } = await client.post<{ number: number }>(path, body);
    const last = greatest.get(path) ?? 0;
    if (status !== 201 || answer.number <= last) {
      problems.push(`POST ${path} was answered ${status} with number ${answer.number}, after ${last}`);
    }
  };
  for (const { kind, token, name } of rows) {
    if (kind === "application") await expectAbove(`${base}/${token}/chats`, { title: "one more" });
    if (kind === "chat") await expectAbove(`${base}/${token}/chats/${name}/messages`, { body: "one more" });
  }
  return problems;
}

function greatestAnswered(ledger: Ledger): Map<string, number> {
  const greatest = new Map<string, number>();
  const named = [...ledger.entries.values()].filter((entry: Entry) => entry.name !== undefined);
  for (const { kind, parent, name } of named) {
    if (!parent) continue;
    const path = `${parent.path}/${kind}s`;
    greatest.set(path, Math.max(greatest.get(path) ?? 0, Number(name)));
  }
  return greatest;
}

async function readAll(client: Client, path: string): Promise<Item[]> {
  const items: Item[] = [];
  let after: number | null = 0;
  while (after !== null) {
    const page: Answer<List> = await client.get<List>(`${path}?after=${after}&per_page=${perPage}`);
    if (page.status !== 200) throw new Error(`GET ${path} was answered ${page.status}`);
    items.push(...(page.body.chats ?? page.body.messages ?? []));
    after = page.body.meta.next_after;
  }
  return items;
}

function groupByParent(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows.filter(({ kind }) => kind !== "application")) {
    const parent = row.kind === "chat" ? row.token : `${row.token}/${row.chat ?? ""}`;
    groups.set(parent, [...(groups.get(parent) ?? []), row]);
  }
  return groups;
}
