import { expect } from "chai";

import type { Buffer } from "../../src/buffer/buffer.ts";
import { Keys } from "../../src/buffer/keys.ts";
import type { Parent } from "../../src/buffer/references.ts";
import { beginEpoch, openTestBuffer, seed } from "../support/buffers.ts";
import { requestOf } from "../support/requests.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

const token = "application";

describe("Seeding a parent", () => {
  let workspace: Workspace;
  let keys: Keys;
  let buffer: Buffer;

  beforeEach(async () => {
    workspace = await openWorkspace();
    // Counters, and what lies beneath them, are taken away by hand.
    workspace.expectFindings("counter-bytes", "partition-bytes", "unlisted", "dangling");
    keys = new Keys(workspace.config.redis.namespace, 1);
    buffer = await openTestBuffer(workspace, "requests");
  });

  afterEach(async () => {
    buffer.close();
    await workspace.close();
  });

  const accept = async (parent: Parent = { token }) => {
    const reply = await buffer.accepting.accept(parent, requestOf("operation-000001", "hello"));
    return reply.kind === "accepted" ? reply.number : reply.kind;
  };

  it("lets numbers go on above what MySQL knows", async () => {
    await seed(buffer, { token }, 41);
    expect([await accept(), await accept()]).to.deep.equal([42, 43]);
  });

  it("again, or late and with less, or with more, changes nothing", async () => {
    await seed(buffer, { token }, 5);
    await accept();
    for (const stale of [0, 5, 100]) await seed(buffer, { token }, stale);
    expect(await accept()).to.equal(7);
  });

  it("by many at once lets no number be given twice", async () => {
    const seedAndAccept = async () => {
      await seed(buffer, { token }, 10);
      return accept();
    };
    const numbers = await Promise.all(Array.from({ length: 50 }, seedAndAccept));
    expect(numbers.map(Number).sort((a, b) => a - b)).to.deep.equal(numbers.map((_, at) => at + 11));
  });

  it("takes no TTL off a record's parent, and puts one on a counter that nothing waits for", async () => {
    await seed(buffer, { token }, 5);
    expect(await workspace.redis.ttl(keys.counter({ token }))).to.be.within(1, 3600);
    await accept();
    await seed(buffer, { token }, 5);
    expect(await workspace.redis.ttl(keys.counter({ token }))).to.equal(-1);
  });

  it("resumes above MySQL's greatest after Redis lost its counters", async () => {
    await seed(buffer, { token }, 0);
    for (let number = 1; number <= 3; number += 1) await accept();
    await workspace.redis.del(keys.counter({ token }), keys.pending({ token }), keys.list(0, "chats"));
    expect(await accept()).to.equal("unknown-parent");
    await seed(buffer, { token }, 3);
    expect(await accept()).to.equal(4);
  });

  it("resumes above what is still pending after Redis lost only the counter", async () => {
    await seed(buffer, { token }, 0);
    for (let number = 1; number <= 12; number += 1) await accept();
    await workspace.redis.del(keys.counter({ token }));
    expect(await accept()).to.equal("unknown-parent");
    await seed(buffer, { token }, 2);
    expect(await accept()).to.equal(13);
  });

  it("resumes above everything after Redis lost all it had", async () => {
    await seed(buffer, { token }, 0);
    await accept();
    await accept({ token, chatNumber: 1 });
    await workspace.redis.del(await workspace.redis.keys(`${workspace.config.redis.namespace}:*`));
    expect(await accept()).to.equal("unknown-parent");
    expect(await accept({ token, chatNumber: 1 })).to.equal("unknown-parent");
    await seed(buffer, { token }, 9);
    await seed(buffer, { token, chatNumber: 1 }, 99);
    expect([await accept(), await accept({ token, chatNumber: 1 })]).to.deep.equal([10, 100]);
  });

  describe("that is being loaded", () => {
    const begin = async (ticket: string) => {
      const load = await buffer.accepting.beginLoad({ token }, ticket);
      if (load.kind !== "loading") throw new Error(load.kind);
      return load;
    };

    beforeEach(async () => {
      await buffer.epochs.beginFirst(0, "first");
    });

    it("is refused where another load has ended and the counter left Redis as idle since", async () => {
      const late = await begin("late");
      expect(await buffer.accepting.seed({ token }, await begin("quick"), 5)).to.equal("seeded");
      await workspace.redis.del(keys.counter({ token }));
      expect(await buffer.accepting.seed({ token }, late, 5)).to.equal("stale");
      await begin("third");
      expect(await buffer.accepting.seed({ token }, late, 5)).to.equal("stale");
    });

    it("is refused where another epoch has begun since", async () => {
      const load = await begin("ticket");
      await beginEpoch(buffer, "second", 1);
      expect(await buffer.accepting.seed({ token }, load, 5)).to.equal("stale");
      const again = await begin("another");
      expect(again).to.include({ ticket: "ticket", epoch: "second", losses: 1 });
      expect(await buffer.accepting.seed({ token }, again, 5)).to.equal("seeded");
      expect(await accept()).to.equal(6);
    });

    it("leaves nothing of itself in Redis where nobody ends it", async () => {
      await begin("ticket");
      expect(await workspace.redis.ttl(keys.counter({ token }))).to.be.within(1, 60);
    });

    it("is told the greatest number that Redis knows, and of which epoch", async () => {
      expect((await begin("ticket")).buffered).to.deep.equal({ greatest: 0, losses: 0 });
      await buffer.accepting.seed({ token }, { ticket: "ticket", epoch: "first" }, 7);
      await accept();
      await beginEpoch(buffer, "third", 2);
      expect(await begin("other")).to.deep.include({ losses: 2, buffered: { greatest: 8, losses: 0 } });
    });
  });

  it("puts no expiry on a counter beneath which a change waits or was refused", async () => {
    const place = { token, number: 1 };
    for (const home of [keys.revisions(place), keys.dead(place)]) {
      await workspace.redis.hset(home, "1", requestOf("operation-000001", "changed").payload);
      await seed(buffer, { token }, 5);
      expect(await workspace.redis.ttl(keys.counter({ token }))).to.equal(-1);
      await workspace.redis.del(home, keys.counter({ token }));
    }
  });

  it("is needed for a chat that was pending before its application was seeded anew", async () => {
    await seed(buffer, { token }, 0);
    await accept();
    await workspace.redis.del(keys.meta(0), keys.counter({ token }));
    await seed(buffer, { token }, 0);
    expect(await accept({ token, chatNumber: 1 })).to.equal("unknown-parent");
    expect(await accept()).to.equal(2);
    expect(await accept({ token, chatNumber: 2 })).to.equal(1);
  });
});
