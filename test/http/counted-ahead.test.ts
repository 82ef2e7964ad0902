import { expect } from "chai";
import fc from "fast-check";

import { CountedAhead, type Places } from "../../src/http/middleware/counted-ahead.ts";

const address = "192.0.2.1";

/** The count that all processes share, of one window after the other. */
class SharedCount {
  #sum = 0;
  #endsAtMs = Date.now() + 60_000;

  count(requests: number): Places {
    this.#sum += requests;
    return { first: this.#sum - requests + 1, last: this.#sum, endsAtMs: this.#endsAtMs };
  }

  beginAnew(): void {
    this.#sum = 0;
    this.#endsAtMs += 60_000;
  }
}

/** The places that requests which come together are given by one process, in their order. */
function placesFor(ahead: CountedAhead, shared: SharedCount, requests: number): number[] {
  const places: number[] = [];
  while (places.length < requests) {
    const place = ahead.take(address);
    if (!place) break;
    places.push(place.first);
  }
  const rest = requests - places.length;
  if (rest === 0) return places;
  const counted = shared.count(rest + ahead.wanted(address));
  ahead.keep(address, counted, rest);
  return [...places, ...Array.from({ length: rest }, (_, nth) => counted.first + nth)];
}

describe("Requests that are counted ahead", () => {
  const limits = fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1000, max: 20_000 }));
  const turns = fc.array(fc.record({ process: fc.nat(2), requests: fc.integer({ min: 1, max: 400 }) }), {
    maxLength: 100,
  });

  it("get a place each, none twice and none beyond the limit, however they are spread over processes", () => {
    fc.assert(
      fc.property(limits, turns, (limit, all) => {
        const shared = new SharedCount();
        const processes = [0, 1, 2].map(() => new CountedAhead(limit));
        const given = all.flatMap(({ process, requests }) =>
          placesFor(processes[process] ?? expect.fail(), shared, requests),
        );
        expect(new Set(given).size).to.equal(given.length);
        const through = given.filter((place) => place <= limit).length;
        const early = Math.floor(limit / 64) * processes.length;
        expect(through).to.be.within(Math.min(given.length, limit - early), limit);
      }),
    );
  });

  it("are let through up to the very limit by a process that has them all, in each window", () => {
    fc.assert(
      fc.property(limits, fc.integer({ min: 1, max: 100 }), (limit, together) => {
        const shared = new SharedCount();
        const ahead = new CountedAhead(limit);
        for (let window = 0; window < 2; window += 1) {
          const given: number[] = [];
          while (given.length <= limit) given.push(...placesFor(ahead, shared, together));
          // Beyond the limit all are refused alike, whatever their place.
          const through = given.filter((place) => place <= limit);
          expect(through).to.deep.equal(Array.from({ length: limit }, (_, nth) => nth + 1));
          shared.beginAnew();
          ahead.forget(address);
        }
      }),
    );
  });

  it("are few where few came, so that little is refused early elsewhere", () => {
    const shared = new SharedCount();
    const ahead = new CountedAhead(1_000_000);
    placesFor(ahead, shared, 7);
    expect(ahead.wanted(address)).to.equal(0);
    placesFor(ahead, shared, 9);
    expect(ahead.wanted(address)).to.equal(2);
  });

  it("are asked for by one call at a time", () => {
    const shared = new SharedCount();
    const ahead = new CountedAhead(1_000_000);
    ahead.keep(address, shared.count(800), 800);
    expect(ahead.wanted(address)).to.equal(100);
    expect(ahead.wanted(address)).to.equal(0);
    ahead.keep(address, shared.count(110), 10);
    expect(ahead.take(address)?.first).to.equal(811);
  });

  it("are gone with their window", () => {
    const ahead = new CountedAhead(1_000_000);
    ahead.keep(address, { first: 1, last: 900, endsAtMs: Date.now() }, 800);
    expect(ahead.take(address)).to.equal(undefined);
    expect(ahead.wanted(address)).to.equal(0);
  });
});
