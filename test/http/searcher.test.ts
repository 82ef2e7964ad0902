import { expect } from "chai";

import type { Buffer } from "../../src/buffer/buffer.ts";
import { createChanger } from "../../src/http/change.ts";
import { createReader } from "../../src/http/read-after-write.ts";
import { createSearcher } from "../../src/http/searcher.ts";
import type { Changer, Searcher } from "../../src/http/services.ts";
import { openSearch } from "../../src/search/open-search.ts";
import { parseQuery } from "../../src/search/matching.ts";
import type { Search, SearchRequest } from "../../src/search/search.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { openBuffer } from "../../src/buffer/buffer.ts";
import { beginEpoch, roomyLimits, seed, takeLease } from "../support/buffers.ts";
import { Flushing } from "../support/flushing.ts";
import { operationIdOf, requestOf } from "../support/requests.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";
import { said } from "../support/said.ts";

const token = "application";
const chat = { token, chatNumber: 1 };
const ignore = () => undefined;
const quiet = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** An index that knows nothing: what is found beside it was found among the pending and the owed. */
class EmptyIndex implements Search {
  readonly hasIndex = true;
  readonly requests: SearchRequest[] = [];
  readonly #stored: Search;

  constructor(stored: Search) {
    this.#stored = stored;
  }

  find(request: SearchRequest) {
    this.requests.push(request);
    return Promise.resolve({ hits: [], engine: "elasticsearch" as const, degraded: false });
  }

  async findWithoutIndex(request: SearchRequest) {
    return { ...(await this.#stored.find(request)), degraded: true };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

describe("A search in a chat", () => {
  let workspace: Workspace;
  let buffer: Buffer;
  let store: Store;
  let change: Changer;
  let stored: Search;
  let index: EmptyIndex;

  beforeEach(async () => {
    workspace = await openWorkspace();
    const settings = {
      ...workspace.config.redis,
      limits: { ...roomyLimits, maxRecords: 100_000 },
      mostOwed: 100_000,
    };
    buffer = await openBuffer(settings, "draining");
    store = openStore(workspace.config.database, "writing");
    const at = new Date();
    await store.applications.create(
      { token, name: "search", chatsCount: 0, createdAt: at, updatedAt: at },
      0,
    );
    await seed(buffer, { token }, 0);
    await buffer.accepting.accept({ token }, requestOf(operationIdOf(1), null));
    change = createChanger(buffer, store, createReader(buffer, store));
    stored = openSearch({ elasticsearchUrl: undefined, namespace: "unused" }, store.searching, quiet);
    index = new EmptyIndex(stored);
  });

  afterEach(async () => {
    buffer.close();
    await store.close();
    await workspace.close();
  });

  let serial = 1;
  async function accept(...bodies: string[]): Promise<void> {
    for (const body of bodies) {
      serial += 1;
      const reply = await buffer.accepting.accept(chat, requestOf(operationIdOf(serial), body));
      expect(reply).to.have.property("kind", "accepted");
    }
  }

  async function flush(): Promise<void> {
    const settings = { thresholds: { chats: 10, messages: 10 }, maxRows: 1000 };
    const lease = await takeLease(buffer, buffer.partitionOf(token));
    const flushing = await Flushing.begin(buffer, store, { lease });
    await flushing.drain(settings).run("minute");
    await buffer.leases.release(lease);
  }

  const searcher = (search: Search): Searcher =>
    createSearcher(buffer, store, createReader(buffer, store), search);

  async function find(text: string, search: Search, page = { number: 1, perPage: 10 }) {
    const parsed = parseQuery(text);
    if (parsed.kind !== "query") throw new Error(parsed.kind);
    const found = await searcher(search).messages(token, 1, parsed.query, page);
    return { ...found, numbers: found.items.map(({ number }) => number) };
  }

  it("finds a message from its 201 on: pending, flushed, and owed to an index that lacks it", async () => {
    await accept("Hello world", "nothing of it");
    expect((await find("WORLD", stored)).numbers).to.deep.equal([1]);
    expect((await find("WORLD", index)).numbers).to.deep.equal([1]);
    await flush();
    expect((await find("WORLD", stored)).numbers).to.deep.equal([1]);
    const { items, ...found } = await find("WORLD", index);
    expect(found).to.deep.equal({ numbers: [1], hasNext: false, engine: "elasticsearch", degraded: false });
    expect(items[0]).to.include({ body: "Hello world" });
    expect(index.requests.at(-1)?.except).to.have.members([1, 2]);
  });

  it("ranks what is pending among what is stored", async () => {
    await accept("xbelievex", "I believe you", "believe");
    await flush();
    await accept("believer", "Believe", "disbelieve");
    expect((await find("believe", stored)).numbers).to.deep.equal([2, 3, 5, 4, 1, 6]);
    const pages = [];
    for (const number of [1, 2, 3]) {
      const { numbers, hasNext } = await find("believe", stored, { number, perPage: 2 });
      pages.push([numbers, hasNext]);
    }
    expect(pages).to.deep.equal([
      [[2, 3], true],
      [[5, 4], true],
      [[1, 6], false],
    ]);
  });

  it("sees a change at once, and no message that is deleted, flushed or not", async () => {
    await accept("first cat", "second cat", "third dog", "fourth cat");
    await flush();
    await accept("fifth cat", "sixth cat");
    await change.updateMessage(token, 1, 1, said("first bird"));
    await change.updateMessage(token, 1, 3, said("third cat"));
    await change.deleteMessage(token, 1, 2);
    await change.deleteMessage(token, 1, 5);
    for (const search of [stored, index]) {
      const { numbers, items } = await find("cat", search);
      expect(numbers).to.deep.equal([3, 4, 6]);
      expect(items[0]?.body).to.equal("third cat");
    }
    await flush();
    for (const search of [stored, index])
      expect((await find("cat", search)).numbers).to.deep.equal([3, 4, 6]);
    expect((await find("bird", index)).numbers).to.deep.equal([1]);
  });

  it("asks MySQL, and says so, where the index is behind as a whole or in this chat", async () => {
    await accept("needle");
    await flush();
    const partition = buffer.partitionOf(token);
    await buffer.owed.settle(partition, [{ ...chat, ...((await buffer.owed.list(chat, 1))[0] ?? fail()) }]);
    expect((await find("needle", index)).numbers).to.deep.equal([]);
    await beginEpoch(buffer, "another-epoch", 1, partition);
    expect(await find("needle", index)).to.deep.include({ numbers: [1], engine: "mysql", degraded: true });
    await buffer.owed.caughtUp(partition, (await buffer.owed.behind(partition)) ?? "");
    const many = Array.from({ length: 1001 }, (_, at) => ({ ...chat, number: at + 2 }));
    await buffer.owed.owe(partition, many);
    expect(await find("needle", index)).to.deep.include({ numbers: [1], engine: "mysql", degraded: true });
  });

  it("is of one chat only, and of none that is not there or was deleted", async () => {
    await accept("needle");
    await flush();
    await change.deleteChat(token, 1);
    const failure: unknown = await find("needle", stored).catch((error: unknown) => error);
    expect(failure).to.include({ status: 404, message: "Can't find a Chat with number 1" });
  });

  it("answers also where more is pending than is looked at, and says that it may lack some", async function () {
    this.timeout(60_000);
    await accept("needle");
    const filler = Array.from({ length: 10_500 }, (_, at) => requestOf(operationIdOf(100_000 + at), "hay"));
    for (let at = 0; at < filler.length; at += 500) {
      await Promise.all(filler.slice(at, at + 500).map((request) => buffer.accepting.accept(chat, request)));
    }
    expect(await find("needle", stored)).to.deep.include({ numbers: [], degraded: true });
    expect((await find("hay", stored)).numbers).to.have.length(10);
  });
});

function fail(): never {
  throw new Error("nothing is owed");
}
