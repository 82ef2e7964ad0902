import { expect } from "chai";
import type { Redis } from "ioredis";

import type { Buffer } from "../../src/buffer/buffer.ts";
import { BufferUnavailableError } from "../../src/buffer/connections.ts";
import { EpochGuard } from "../../src/epoch-guard.ts";
import { SequenceMark } from "../../src/flusher/sequence-mark.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { openTestBuffer, takeLease } from "../support/buffers.ts";
import { waitFor } from "../support/wait-for.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

describe("A flush that was counted", () => {
  let workspace: Workspace;
  let buffer: Buffer;
  let store: Store;
  let mark: SequenceMark;

  before(async () => {
    workspace = await openWorkspace();
    store = openStore(workspace.config.database, "writing");
    buffer = await openTestBuffer(workspace, "draining");
    const losses = () => {
      throw new Error("nothing was lost");
    };
    mark = new SequenceMark(buffer, store, new EpochGuard(buffer, store, losses), 0);
  });

  after(async () => {
    buffer.close();
    await store.close();
    await workspace.close();
  });

  const isConfirmed = ({ confirm }: { confirm: () => void }) => {
    try {
      confirm();
      return true;
    } catch (error) {
      expect(error).to.be.instanceOf(BufferUnavailableError);
      return false;
    }
  };

  it("is not confirmed once the connection to Redis was lost, until it is counted again", async () => {
    const lease = await takeLease(buffer);
    await mark.claim(lease);
    const first = await mark.count(lease);
    expect(isConfirmed(first)).to.equal(true);
    const { localAddress, localPort } = (buffer.connection as Redis).stream;
    await workspace.redis.client("KILL", "ADDR", `${localAddress}:${localPort}`);
    await waitFor(() => !isConfirmed(first), { what: "the count to be in doubt" });
    const again = await waitFor(() => mark.count(lease).catch(() => false as const), {
      what: "another count",
    });
    expect(isConfirmed(again)).to.equal(true);
    expect(again.mark?.flushSequence).to.be.above(first.mark?.flushSequence ?? 0);
    expect(again.mark?.epoch).to.equal(first.mark?.epoch);
  });
});
