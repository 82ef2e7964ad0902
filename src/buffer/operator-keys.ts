/** The keys of what is kept for the people who run Sluice: nothing is decided by them but what is paused. */
export class OperatorKeys {
  readonly #namespace: string;

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  /** String: who paused the flushing of the partition and when; absent while it is not paused. */
  paused(partition: number): string {
    return this.#key(partition, "paused");
  }

  /** List: the latest flushes of the partition, the newest first; bounded. */
  flushes(partition: number): string {
    return this.#key(partition, "flushes");
  }

  /** List: what the whole installation did, a point for each step of time, the newest first; bounded. */
  history(resolution: string): string {
    return this.#key(0, `history:${resolution}`);
  }

  /** List: what operators did, the newest first; bounded. */
  audit(): string {
    return this.#key(0, "audit");
  }

  /** Sorted set: addresses that the rate limit refused, by when their block ends, milliseconds; bounded. */
  blockedAddresses(): string {
    return this.#key(0, "blocked");
  }

  /** Pub/sub channel that tells every API process to let an address in again. */
  unblockChannel(): string {
    return this.#key(0, "unblock");
  }

  #key(partition: number, name: string): string {
    return keyOf(this.#namespace, partition, name);
  }
}

/** A key of a partition, whose number is its hash tag. */
export function keyOf(namespace: string, partition: number, name: string): string {
  return `${namespace}:{${partition}}:${name}`;
}
