import { allRows, leftInRedis, repeatedOperationIds, type Row } from "../support/kept.ts";
import type { Workspace } from "../support/workspace.ts";

interface Accepted {
  readonly text: string;
  /** Where it is, by what the answer said. */
  readonly place: string;
}

/** What was answered for each text that was sent, all of them different. */
export class Ledger {
  readonly #accepted = new Map<string, string>();
  readonly #doubtful = new Set<string>();
  readonly #problems: string[] = [];
  readonly #places = new Set<string>();

  get accepted(): number {
    return this.#accepted.size;
  }

  accept({ text, place }: Accepted): void {
    if (this.#places.has(place)) this.#problems.push(`given twice: ${place}`);
    this.#places.add(place);
    this.#accepted.set(text, place);
  }

  /** It may have been accepted, and then once. */
  doubt(text: string): void {
    this.#doubtful.add(text);
  }

  /** What of all that was accepted is not in MySQL exactly once and at its place, and what is there beside it. */
  async compare(workspace: Workspace): Promise<string[]> {
    const rows = byText(await allRows(workspace));
    const missing = [...this.#accepted].filter(([text, place]) => {
      const [row] = rows.get(text) ?? [];
      return !row || placeOf(row) !== place;
    });
    const repeated = [...rows].filter(([, ofText]) => ofText.length > 1);
    const strange = [...rows.keys()].filter((text) => !this.#accepted.has(text) && !this.#doubtful.has(text));
    return [
      ...this.#problems,
      ...missing.map(([text, place]) => `lost: ${place} ${text.slice(0, 40)}`),
      ...repeated.map(([text]) => `twice: ${text.slice(0, 40)}`),
      ...strange.map((text) => `from nobody: ${text.slice(0, 40)}`),
      ...(await leftInRedis(workspace)),
      ...(await repeatedOperationIds(workspace)),
    ];
  }
}

function byText(rows: readonly Row[]): Map<string, Row[]> {
  const found = new Map<string, Row[]>();
  for (const row of rows) {
    const ofText = found.get(row.text);
    if (ofText) ofText.push(row);
    else found.set(row.text, [row]);
  }
  return found;
}

function placeOf({ kind, token, chat, name }: Row): string {
  if (kind === "application") return token;
  const chats = `/applications/${token}/chats`;
  return kind === "chat" ? `${chats} ${name}` : `${chats}/${chat ?? ""}/messages ${name}`;
}
