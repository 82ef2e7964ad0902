import { expect } from "chai";
import fc from "fast-check";

import { movesOf, type Peer } from "../../src/flusher/fair-share.ts";

/** Flushers and partitions as they would act, with nothing between them but what each sees. */
class Crowd {
  readonly owners: (string | undefined)[];
  peers: Peer[] = [];

  constructor(partitions: number) {
    this.owners = Array.from({ length: partitions }, () => undefined);
  }

  join(owner: string, standsBackFrom: readonly number[] = []): void {
    this.peers = [...this.peers, { owner, standsBackFrom: new Set(standsBackFrom) }];
  }

  /** It is gone, and so are its leases. */
  leave(owner: string): void {
    this.peers = this.peers.filter((peer) => peer.owner !== owner);
    for (const [partition, holder] of this.owners.entries())
      if (holder === owner) this.owners[partition] = undefined;
  }

  /** All look at one moment, and then act one after the other: leases go to who asks first. */
  round(): number {
    const sight = { peers: this.peers, owners: [...this.owners] };
    const planned = this.peers.map(({ owner }) => ({ owner, moves: movesOf({ ...sight, me: owner }) }));
    for (const { owner, moves } of planned) this.#act(owner, moves);
    return planned.reduce((sum, { moves }) => sum + moves.take.length + moves.giveBack.length, 0);
  }

  /** One looks and acts. */
  turnOf(me: string): void {
    this.#act(me, movesOf({ me, peers: this.peers, owners: [...this.owners] }));
  }

  settle(): number {
    let rounds = 0;
    while (this.round() > 0) {
      rounds += 1;
      if (rounds > 50) throw new Error(`no end: ${this.owners.join(" ")}`);
    }
    return rounds;
  }

  counts(): number[] {
    const held = (owner: string) => this.owners.filter((holder) => holder === owner).length;
    return this.peers.map(({ owner }) => held(owner)).sort((one, other) => other - one);
  }

  #act(owner: string, { take, giveBack }: ReturnType<typeof movesOf>): void {
    for (const partition of giveBack)
      if (this.owners[partition] === owner) this.owners[partition] = undefined;
    for (const partition of take) this.owners[partition] ??= owner;
  }
}

function crowdOf(partitions: number, owners: string): Crowd {
  const crowd = new Crowd(partitions);
  for (const owner of owners) crowd.join(owner);
  crowd.settle();
  return crowd;
}

describe("The fair share of flushers", () => {
  it("gives three of them 3, 3 and 2 of eight partitions, and two of them 4 each", () => {
    const crowd = crowdOf(8, "abc");
    expect(crowd.counts()).to.deep.equal([3, 3, 2]);
    crowd.leave("b");
    crowd.settle();
    expect(crowd.counts()).to.deep.equal([4, 4]);
  });

  it("lets those stand by for whom there is no partition", () => {
    const crowd = crowdOf(2, "abcd");
    expect(crowd.counts()).to.deep.equal([1, 1, 0, 0]);
  });

  it("moves no more partitions than it must when one comes", () => {
    const crowd = crowdOf(12, "bcd");
    const before = [...crowd.owners];
    crowd.join("a");
    crowd.settle();
    expect(crowd.counts()).to.deep.equal([3, 3, 3, 3]);
    expect(crowd.owners.filter((owner, at) => owner !== before[at])).to.have.lengthOf(3);
  });

  it("leaves alone what is fair already, whoever holds it", () => {
    const crowd = new Crowd(5);
    for (const owner of ["a", "b"]) crowd.join(owner);
    crowd.owners.splice(0, 5, "b", "b", "b", "a", "a");
    expect(crowd.round()).to.equal(0);
  });

  it("waits for the lease of one that died to run out, and takes nothing from it", () => {
    const crowd = crowdOf(4, "a");
    crowd.owners[1] = "dead";
    expect(crowd.settle()).to.equal(0);
    crowd.owners[1] = undefined;
    crowd.settle();
    expect(crowd.counts()).to.deep.equal([4]);
  });

  it("comes to all partitions being held, by shares that differ by one, after any comings and goings", () => {
    const name = fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h");
    const event = fc.tuple(fc.constantFrom("join", "leave", "turn", "round"), name);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.array(event, { maxLength: 40 }),
        (partitions, events) => {
          const crowd = new Crowd(partitions);
          for (const [kind, owner] of events) {
            const lives = crowd.peers.some((peer) => peer.owner === owner);
            if (kind === "join" && !lives) crowd.join(owner);
            if (kind === "leave") crowd.leave(owner);
            if (kind === "turn" && lives) crowd.turnOf(owner);
            if (kind === "round") crowd.round();
          }
          if (crowd.peers.length === 0) crowd.join("a");
          expect(crowd.settle()).to.be.at.most(10);
          expect(crowd.owners).to.not.include(undefined);
          const counts = crowd.counts();
          expect((counts[0] ?? 0) - (counts.at(-1) ?? 0)).to.be.at.most(1);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("lets nothing lie that anybody can drain, whatever the others stand back from", () => {
    const partitions = 12;
    const avoided = fc.subarray(Array.from({ length: partitions }, (_, partition) => partition));
    fc.assert(
      fc.property(fc.array(avoided, { minLength: 1, maxLength: 5 }), (all) => {
        const crowd = new Crowd(partitions);
        for (const [at, standsBackFrom] of all.entries()) crowd.join(`f${at}`, standsBackFrom);
        crowd.settle();
        for (const [partition, owner] of crowd.owners.entries()) {
          const able = crowd.peers.filter(({ standsBackFrom }) => !standsBackFrom.has(partition));
          expect(owner !== undefined).to.equal(able.length > 0);
          if (owner !== undefined) expect(able.map((peer) => peer.owner)).to.include(owner);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("gives up what another can drain for what only it can", () => {
    const crowd = new Crowd(4);
    crowd.join("new");
    crowd.join("old", [0, 1]);
    crowd.owners.splice(0, 4, undefined, undefined, "new", "new");
    crowd.settle();
    expect(crowd.owners).to.deep.equal(["new", "new", "old", "old"]);
  });
});
