import { expect } from "chai";

import type { Buffer } from "../../src/buffer/buffer.ts";
import { Keys } from "../../src/buffer/keys.ts";
import type { Parent } from "../../src/buffer/references.ts";
import { openTestBuffer, seed } from "../support/buffers.ts";
import { operationIdOf, requestOf } from "../support/requests.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

const token = "application";
const application = { token };
const chat = { token, chatNumber: 1 };

describe("A request key", () => {
  let workspace: Workspace;
  let keys: Keys;
  let buffer: Buffer;

  before(async () => {
    workspace = await openWorkspace();
    keys = new Keys(workspace.config.redis.namespace, 1);
    buffer = await openTestBuffer(workspace, "requests", { maxRecords: 50 });
    await seed(buffer, application, 0);
    await buffer.accepting.accept(application, requestOf(operationIdOf(1), null));
    await seed(buffer, { token: "another" }, 0);
  });

  after(async () => {
    buffer.close();
    await workspace.close();
  });

  const accept = (parent: Parent, key: string, fingerprint: string, createdAtMs: number) =>
    buffer.accepting.accept(parent, {
      ...requestOf(operationIdOf(createdAtMs), "hello", createdAtMs),
      requestKey: { key, fingerprint },
    });

  it("gives a repeated request the number and the time of the first, and keeps it once", async () => {
    expect(await accept(chat, "one", "digest", 1001)).to.deep.equal({ kind: "accepted", number: 1 });
    // But for how long what waits has waited.
    const totals = async () => ({ ...(await buffer.totals.read(0)), waits: undefined });
    const before = await totals();
    for (const createdAtMs of [1002, 1003]) {
      expect(await accept(chat, "one", "digest", createdAtMs)).to.deep.equal({
        kind: "replayed",
        number: 1,
        createdAtMs: 1001,
      });
    }
    expect(await totals()).to.deep.equal(before);
    expect(await accept(chat, "two", "digest", 1004)).to.deep.equal({ kind: "accepted", number: 2 });
  });

  it("that comes with another request is said to be reused", async () => {
    await accept(chat, "reused", "digest", 1005);
    expect(await accept(chat, "reused", "another", 1006)).to.deep.equal({ kind: "key-reused" });
  });

  it("counts within one parent only", async () => {
    await accept(chat, "shared", "digest", 1007);
    expect((await accept(application, "shared", "digest", 1008)).kind).to.equal("accepted");
    expect((await accept({ token: "another" }, "shared", "digest", 1009)).kind).to.equal("accepted");
  });

  it("lets one of many at a time be accepted", async () => {
    const replies = await Promise.all(
      Array.from({ length: 30 }, (_, at) => accept(chat, "at once", "digest", 2000 + at)),
    );
    const [accepted, ...others] = replies.filter(({ kind }) => kind === "accepted");
    expect(others).to.deep.equal([]);
    const numbers = new Set(replies.map((reply) => ("number" in reply ? reply.number : undefined)));
    expect([...numbers]).to.deep.equal([accepted && "number" in accepted ? accepted.number : 0]);
  });

  it("is remembered for 24 hours, whatever it is made of", async () => {
    for (const key of ["plain", "a:b {0} *", "ключ", "x".repeat(255)]) {
      await accept(chat, key, "digest", 1010);
      expect(await workspace.redis.ttl(keys.idempotency(chat, key))).to.be.within(86_390, 86_400);
      expect((await accept(chat, key, "digest", 1011)).kind).to.equal("replayed");
    }
  });

  it("is answered as before where the buffer is full by now, and is not kept for what was refused", async () => {
    await accept(chat, "before", "digest", 1012);
    const full = await openTestBuffer(workspace, "requests", { maxRecords: 1 });
    const call = (key: string) =>
      full.accepting.accept(chat, {
        ...requestOf(operationIdOf(1), "hello"),
        requestKey: { key, fingerprint: "digest" },
      });
    expect((await call("before")).kind).to.equal("replayed");
    expect((await call("refused")).kind).to.equal("full");
    full.close();
    expect(await workspace.redis.exists(keys.idempotency(chat, "refused"))).to.equal(0);
    expect((await accept(chat, "refused", "digest", 1013)).kind).to.equal("accepted");
  });

  it("of a new application is agreed upon by the first of many calls, for 24 hours", async () => {
    const values = await Promise.all(
      Array.from({ length: 20 }, (_, at) => buffer.rememberFirst("application", `value ${at}`)),
    );
    expect(new Set(values).size).to.equal(1);
    expect(await buffer.rememberFirst("application", "late")).to.equal(values[0]);
    expect(await buffer.rememberFirst("another", "late")).to.equal("late");
    expect(await workspace.redis.ttl(keys.applicationRequest("application"))).to.be.within(86_390, 86_400);
  });
});
