import { expect } from "chai";
import { Redis } from "ioredis";

import { settledBy } from "../../src/buffer/settled-client.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

describe("A client of Redis that is settled", () => {
  let workspace: Workspace;
  let settled: string[];
  const client = () =>
    settledBy(async (command) => {
      const reply = await command;
      settled.push(JSON.stringify(reply));
      return reply;
    }, workspace.redis);

  before(async () => {
    workspace = await openWorkspace();
  });
  after(() => workspace.close());
  beforeEach(() => (settled = []));

  const key = () => `${workspace.config.redis.namespace}:settled`;

  it("settles each command, and answers what it answers", async () => {
    expect(await client().set(key(), "1")).to.equal("OK");
    expect(await client().get(key())).to.equal("1");
    expect(await client().del(key())).to.equal(1);
    expect(settled).to.deep.equal(['"OK"', '"1"', "1"]);
  });

  for (const kind of ["pipeline", "multi"] as const)
    it(`settles a ${kind} once, however its commands are put into it`, async () => {
      const one = client();
      const chained = await one[kind]().set(key(), "1").incr(key()).del(key()).exec();
      const filled = one[kind]();
      filled.set(key(), "1");
      filled.incr(key());
      filled.del(key());
      expect(await filled.exec()).to.deep.equal(chained);
      expect(chained).to.deep.equal([
        [null, "OK"],
        [null, 2],
        [null, 1],
      ]);
      expect(settled).to.deep.equal([JSON.stringify(chained), JSON.stringify(chained)]);
    });

  it("is otherwise the client that it was made of", () => {
    const one = client();
    expect(one.status).to.equal(workspace.redis.status);
    expect(one.options).to.equal(workspace.redis.options);
    expect(one).to.be.instanceOf(Redis);
    expect(settled).to.deep.equal([]);
  });
});
