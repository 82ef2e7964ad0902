import { statementBytes } from "../records/records.ts";
import { isConnectionLoss } from "./failure.ts";
import { type StatementLimit, StatementTooLargeError } from "./statement-limit.ts";
import { keyText, type NewRow, type Table } from "./tables.ts";

/** Below this no network and no server refuses a statement for its size. */
const smallBytes = 64 * 1024;
/** Losses in a row that tell a statement that is too large from a network that is bad. */
const tellingLosses = 3;

/**
 * Finds out what is too large for whoever stands between here and the server, and cannot be asked: a proxy closes the
 * connection at a large statement each time, while small ones come through.
 */
export class LargeWrites {
  readonly #ping: () => Promise<unknown>;
  readonly #limit: StatementLimit;
  /** Losses in a row, by the write. */
  readonly #losses = new Map<string, number>();

  constructor(ping: () => Promise<unknown>, limit: StatementLimit) {
    this.#ping = ping;
    this.#limit = limit;
  }

  /**
   * Makes a write. Of small ones nothing is noted.
   *
   * @throws {StatementTooLargeError} where the same write lost its connection again and again, or what it throws
   */
  async attempt<T>(table: Table, rows: readonly NewRow[], write: () => Promise<T>): Promise<T> {
    const bytes = rows.reduce((sum, { record }) => sum + statementBytes(record), 0);
    if (bytes < smallBytes) return write();
    const [first] = rows;
    const name = first ? `${table.kind.table}:${keyText(table.keyOf(first))}:${rows.length}` : "";
    try {
      const result = await write();
      this.#losses.delete(name);
      return result;
    } catch (error) {
      const losses = await this.#count(name, error);
      if (losses < tellingLosses) throw error;
      this.#losses.delete(name);
      this.#limit.suspect(bytes);
      throw new StatementTooLargeError("a large statement loses its connection each time", error);
    }
  }

  /** How often this write lost its connection in a row, while the server was there. */
  async #count(name: string, error: unknown): Promise<number> {
    const isThere = isConnectionLoss(error) && (await this.#isServerThere());
    const losses = isThere ? (this.#losses.get(name) ?? 0) + 1 : 0;
    if (losses > 0) this.#losses.set(name, losses);
    else this.#losses.delete(name);
    return losses;
  }

  async #isServerThere(): Promise<boolean> {
    return this.#ping().then(
      () => true,
      () => false,
    );
  }
}
