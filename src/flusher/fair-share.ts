/**
 * Who drains how many partitions. Nobody coordinates: each flusher looks at who lives and who holds what, and all
 * come to the same shares, which differ by one at most. What was seen may be old by the time it is acted upon;
 * the next look then mends it, and a lease never has two holders.
 */

/** A flusher that shares in the partitions. */
export interface Peer {
  /** As its leases name it. */
  readonly owner: string;
  /** Partitions it cannot drain and leaves to others. */
  readonly standsBackFrom: ReadonlySet<number>;
}

/** What a flusher has seen of the others and itself. */
export interface Sight {
  readonly me: string;
  /** Those that live, the asker among them. */
  readonly peers: readonly Peer[];
  /** Who holds each partition; nothing where it is free. */
  readonly owners: readonly (string | undefined)[];
}

/** What a flusher should do about it. */
export interface Moves {
  /** Free partitions that it should ask for. */
  readonly take: readonly number[];
  /** Partitions that it holds and should leave to others, who have fewer. */
  readonly giveBack: readonly number[];
}

/** The moves with which a flusher comes to its share. Pure. */
export function movesOf(sight: Sight): Moves {
  const standing = new Standing(sight);
  const mine = sight.peers.find(({ owner }) => owner === sight.me);
  if (!mine) return { take: [], giveBack: [] };
  return { take: takenBy(mine, standing, sight), giveBack: givenBackBy(mine, standing, sight) };
}

/** Where everybody stands: what each holds, and what each should. */
class Standing {
  /** Those that hold most come first, so that nothing moves that need not. */
  readonly order: readonly Peer[];
  readonly free: readonly number[];
  readonly #held: ReadonlyMap<string, number>;
  readonly #shares: ReadonlyMap<string, number>;

  constructor({ peers, owners }: Sight) {
    const held = new Map(peers.map(({ owner }) => [owner, 0]));
    for (const owner of owners) {
      const before = owner === undefined ? undefined : held.get(owner);
      if (owner !== undefined && before !== undefined) held.set(owner, before + 1);
    }
    this.#held = held;
    this.order = [...peers].sort(
      (one, other) =>
        this.held(other) - this.held(one) || (one.owner < other.owner ? -1 : Number(one.owner > other.owner)),
    );
    this.#shares = sharesOf(this.order, owners.length);
    this.free = owners.flatMap((owner, partition) => (owner === undefined ? [partition] : []));
  }

  held({ owner }: Peer): number {
    return this.#held.get(owner) ?? 0;
  }

  /** By how many it holds too few; below 0, too many. */
  lack(peer: Peer): number {
    return (this.#shares.get(peer.owner) ?? 0) - this.held(peer);
  }

  /** Whether one who holds too few can take a partition. */
  isWanted(partition: number, except?: Peer): boolean {
    return this.order.some((peer) => peer !== except && this.lack(peer) > 0 && mayDrain(peer, partition));
  }
}

/** Deals the partitions out one by one, each to the first of those who have fewest and can drain another. */
function sharesOf(order: readonly Peer[], partitions: number): Map<string, number> {
  const hands = order.map((peer) => ({ peer, share: 0, most: partitions - peer.standsBackFrom.size }));
  for (let left = partitions; left > 0; left -= 1) {
    let next: (typeof hands)[number] | undefined;
    for (const hand of hands) {
      if (hand.share < hand.most && (!next || hand.share < next.share)) next = hand;
    }
    if (!next) break;
    next.share += 1;
  }
  return new Map(hands.map(({ peer, share }) => [peer.owner, share]));
}

function mayDrain({ standsBackFrom }: Peer, partition: number): boolean {
  return !standsBackFrom.has(partition);
}

/**
 * One who holds too few takes what is free. What none of those can drain is taken by another, who then holds too
 * many, and gives back what they can.
 */
function takenBy(mine: Peer, standing: Standing, { peers }: Sight): number[] {
  const mineToTake = standing.free.filter((partition) => mayDrain(mine, partition));
  if (standing.lack(mine) > 0) {
    // Each begins elsewhere, or all would ask for the same one.
    const start = Math.floor((mineToTake.length * peers.indexOf(mine)) / peers.length);
    const rotated = [...mineToTake.slice(start), ...mineToTake.slice(0, start)];
    return rotated.slice(0, standing.lack(mine));
  }
  return mineToTake.filter((partition) => {
    const able = standing.order.filter((peer) => mayDrain(peer, partition));
    return !standing.isWanted(partition) && able.at(-1) === mine;
  });
}

/** No more than others lack beyond what is free already. */
function givenBackBy(mine: Peer, standing: Standing, { me, owners }: Sight): number[] {
  const lacking = standing.order.reduce((sum, peer) => sum + Math.max(0, standing.lack(peer)), 0);
  const onOffer = standing.free.filter((partition) => standing.isWanted(partition)).length;
  const count = Math.min(-standing.lack(mine), lacking - onOffer);
  if (count <= 0) return [];
  const wanted = owners.flatMap((owner, partition) =>
    owner === me && standing.isWanted(partition, mine) ? [partition] : [],
  );
  return wanted.slice(0, count);
}
