import { expect } from "chai";

import type { Buffer } from "../../src/buffer/buffer.ts";
import { EpochGuard } from "../../src/epoch-guard.ts";
import { createAcceptor } from "../../src/http/accept.ts";
import type { Acceptor } from "../../src/http/services.ts";
import { openPool } from "../../src/store/connection.ts";
import { Store } from "../../src/store/store.ts";
import { openTestBuffer } from "../support/buffers.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";
import { said } from "../support/said.ts";

describe("A flood of requests that name one unknown token", () => {
  let workspace: Workspace;
  let buffer: Buffer;
  let store: Store;
  let accept: Acceptor;
  let queries: number;

  beforeEach(async () => {
    workspace = await openWorkspace();
    buffer = await openTestBuffer(workspace, "requests");
    const pool = openPool(workspace.config.database, "requests");
    pool.on("query", () => (queries += 1));
    store = new Store(pool);
    // That Redis is whole was found before: that look is not one of those that are counted.
    const epochs = new EpochGuard(buffer, store, () => undefined);
    await epochs.verify(buffer.partitionOf("unknown"));
    accept = createAcceptor(buffer, store, epochs);
    queries = 0;
  });

  afterEach(async () => {
    buffer.close();
    await store.close();
    await workspace.close();
  });

  async function flood(send: (nth: number) => Promise<unknown>): Promise<void> {
    for (let round = 0; round < 3; round += 1) {
      const outcomes = await Promise.allSettled(Array.from({ length: 200 }, (_, at) => send(at + 1)));
      const statuses = outcomes.map((outcome) =>
        outcome.status === "rejected" ? (outcome.reason as { status?: number }).status : 201,
      );
      expect(new Set(statuses)).to.deep.equal(new Set([404]));
    }
  }

  it("looks into MySQL once for its chats: for the application, then for its removal", async () => {
    await flood(() => accept.chat("unknown", said(null)));
    expect(queries).to.equal(2);
  });

  it("asks MySQL a handful of times for its messages, whatever chats they name", async () => {
    await flood((nth) => accept.message("unknown", nth, said("hello")));
    expect(queries).to.be.at.most(5);
  });
});
