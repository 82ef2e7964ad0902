import type { Connection } from "./connections.ts";
import type { Scripts } from "./scripts.ts";

/** The right to do something with a partition, until it expires. `value` differs from that of every lease before it. */
export interface Lease {
  readonly partition: number;
  readonly value: string;
}

/** Where the leases for one kind of work are kept: who has it, and how often it was given. */
export interface LeaseKeys {
  lease(partition: number): string;
  fence(partition: number): string;
}

/** Gives and renews leases. Correctness does not rest on them: rows carry operation ids. Efficiency does. */
export class Leases {
  readonly #connection: Connection;
  readonly #scripts: Scripts;
  readonly #keys: LeaseKeys;

  constructor(connection: Connection, scripts: Scripts, keys: LeaseKeys) {
    this.#connection = connection;
    this.#scripts = scripts;
    this.#keys = keys;
  }

  /** A lease that lasts `durationMs` unless renewed, or nothing while another holds the partition. */
  async acquire(partition: number, owner: string, durationMs: number): Promise<Lease | undefined> {
    const keys = [this.#keys.lease(partition), this.#keys.fence(partition)];
    const value = await this.#scripts.run("acquire-lease", keys, [owner, durationMs]);
    return typeof value === "string" ? { partition, value } : undefined;
  }

  /** Who holds the lease of each of the first so many partitions; nothing where nobody does. */
  async owners(partitions: number): Promise<(string | undefined)[]> {
    const { client } = this.#connection;
    const values = Array.from({ length: partitions }, (_, partition) =>
      client.get(this.#keys.lease(partition)),
    );
    return (await Promise.all(values)).map(ownerOf);
  }

  /** Whether the lease was still held; it then lasts `durationMs` from now. */
  async renew(lease: Lease, durationMs: number): Promise<boolean> {
    const keys = [this.#keys.lease(lease.partition)];
    return (await this.#scripts.run("renew-lease", keys, [lease.value, durationMs])) === 1;
  }

  /** Gives the partition back at once, so that another need not wait for the lease to expire. */
  async release(lease: Lease): Promise<void> {
    await this.renew(lease, 0);
  }
}

/** Who holds a lease: its value begins with how often the lease was given. */
export function ownerOf(value: string | null | undefined): string | undefined {
  return value?.replace(/^\d+:/, "");
}
