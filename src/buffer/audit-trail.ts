import type { Connection } from "./connections.ts";
import type { Keys } from "./keys.ts";

/** Something an operator did. */
export interface AuditEntry {
  readonly at: Date;
  readonly who: string;
  /** The address they came from. */
  readonly from: string;
  readonly act: string;
  readonly outcome: string;
}

/** What is remembered: a long list would push out pending records. */
const kept = 1000;

/** Remembers what operators did. */
export class AuditTrail {
  readonly #connection: Connection;
  readonly #keys: Keys;

  constructor(connection: Connection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  async add({ at, who, from, act, outcome }: AuditEntry): Promise<void> {
    const entry = JSON.stringify([at.getTime(), who, from, act, outcome]);
    const pipeline = this.#connection.client.pipeline();
    pipeline.lpush(this.#keys.operators.audit(), entry).ltrim(this.#keys.operators.audit(), 0, kept - 1);
    await pipeline.exec();
  }

  /** Up to `limit` entries, the newest first, `skip` passed over; and how many there are. */
  async read(skip: number, limit: number): Promise<{ entries: AuditEntry[]; total: number }> {
    const { client } = this.#connection;
    const key = this.#keys.operators.audit();
    const [found, total] = await Promise.all([client.lrange(key, skip, skip + limit - 1), client.llen(key)]);
    return { entries: found.map(parse), total };
  }
}

function parse(entry: string): AuditEntry {
  const [at, who, from, act, outcome] = JSON.parse(entry) as [number, string, string, string, string];
  return { at: new Date(at), who, from, act, outcome };
}
