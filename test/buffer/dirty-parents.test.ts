import { expect } from "chai";

import type { Buffer } from "../../src/buffer/buffer.ts";
import { openTestBuffer, seed, takeLease } from "../support/buffers.ts";
import { operationIdOf, requestOf } from "../support/requests.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

const token = "application";
const chat = { token, chatNumber: 1 };
const other = { token, chatNumber: 2 };

describe("Dirty parents", () => {
  let workspace: Workspace;
  let buffer: Buffer;

  beforeEach(async () => {
    workspace = await openWorkspace();
    buffer = await openTestBuffer(workspace, "draining");
    for (const parent of [{ token }, chat, other]) await seed(buffer, parent, 0);
  });

  afterEach(async () => {
    buffer.close();
    await workspace.close();
  });

  async function acceptAndFlush(parent: { token: string; chatNumber?: number }, id: number): Promise<void> {
    await buffer.accepting.accept(parent, requestOf(operationIdOf(id), "text"));
    const list = parent.chatNumber === undefined ? "chats" : "messages";
    const lease = await takeLease(buffer);
    const batch = await buffer.batches.peek(0, list, 0, { maxRows: 10, maxBytes: 1e6 });
    await buffer.batches.acknowledge(lease, batch, new Map(), new Map());
    await buffer.leases.release(lease);
  }

  it("are those beneath which a flush wrote, the one changed longest ago first", async () => {
    await acceptAndFlush(chat, 1);
    await acceptAndFlush({ token }, 2);
    await acceptAndFlush(chat, 3);
    const dirty = await buffer.dirty.list(0, 10);
    expect(dirty.map(({ sequence, ...parent }) => [parent, sequence > 0])).to.deep.equal([
      [{ token }, true],
      [chat, true],
    ]);
    expect([await buffer.dirty.list(0, 1), await buffer.dirty.count(0)]).to.deep.equal([[dirty[0]], 2]);
  });

  it("are clean once counted, but for one that was touched meanwhile", async () => {
    await acceptAndFlush(chat, 1);
    await acceptAndFlush(other, 2);
    const read = await buffer.dirty.list(0, 10);
    await acceptAndFlush(other, 3);
    await buffer.dirty.clean(0, read);
    expect((await buffer.dirty.list(0, 10)).map(({ chatNumber }) => chatNumber)).to.deep.equal([2]);
  });
});
