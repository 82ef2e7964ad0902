import { expect } from "chai";

import { type Buffer, openBuffer } from "../../src/buffer/buffer.ts";
import { mergedPage } from "../../src/http/merged-list.ts";
import { messagesOf } from "../../src/http/numbered.ts";
import type { PageRequest } from "../../src/http/services.ts";
import type { Message } from "../../src/records/records.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { Client } from "../support/client.ts";
import { Flushing } from "../support/flushing.ts";
import { type SluiceProcess, startApi, startFlusher } from "../support/sluice-process.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

interface List {
  readonly messages: { number: number; body: string }[];
  readonly meta: { next_page?: number | null; next_after?: number | null };
}

describe("Reading while a flush moves what is read", () => {
  let workspace: Workspace;
  let api: { process: SluiceProcess; url: string };
  let client: Client;
  let buffer: Buffer;
  let store: Store;
  let flushing: Flushing;

  before(async () => {
    workspace = await openWorkspace();
    api = await startApi(workspace.env);
    client = new Client(api.url);
    const limits = { ...workspace.config.buffer, thresholds: { chats: 10, messages: 10 } };
    buffer = await openBuffer({ ...workspace.config.redis, limits }, "draining");
    store = openStore(workspace.config.database, "writing");
  });

  beforeEach(async () => {
    flushing = await Flushing.begin(buffer, store);
  });

  afterEach(async () => {
    await drain(1000).run("manual");
    await buffer.leases.release(flushing.lease);
  });

  after(async () => {
    client.close();
    await api.process.end("SIGTERM");
    buffer.close();
    await store.close();
    await workspace.close();
  });

  function drain(maxRows: number) {
    return flushing.drain({ thresholds: { chats: 1, messages: 1 }, maxRows });
  }

  async function createApplication(): Promise<string> {
    return (await client.post<{ token: string }>("/applications", { name: "reads" })).body.token;
  }

  /** A chat with so many pending messages; answers the path of its list. */
  async function createChat(messages: number): Promise<{ token: string; path: string }> {
    const token = await createApplication();
    await client.post(`/applications/${token}/chats`);
    const path = `/applications/${token}/chats/1/messages`;
    for (const number of upTo(messages)) {
      const { status } = await client.post(path, { body: `body ${number}` });
      expect(status).to.equal(201);
    }
    return { token, path };
  }

  async function readList(path: string): Promise<List> {
    const { status, body } = await client.get<List>(path);
    expect(status).to.equal(200);
    return body;
  }

  /** The whole list, page by page. */
  async function walk(path: string, kind: "page" | "after", order: "asc" | "desc"): Promise<number[]> {
    const numbers: number[] = [];
    let next: number | null = kind === "page" ? 1 : order === "asc" ? 0 : Number.MAX_SAFE_INTEGER;
    while (next !== null) {
      const list = await readList(`${path}?${kind}=${next}&per_page=70&order=${order}`);
      for (const message of list.messages) expect(message.body).to.equal(`body ${message.number}`);
      numbers.push(...list.messages.map(({ number }) => number));
      next = (kind === "page" ? list.meta.next_page : list.meta.next_after) ?? null;
    }
    return order === "asc" ? numbers : numbers.reverse();
  }

  const walks = [
    ["page", "asc"],
    ["page", "desc"],
    ["after", "asc"],
    ["after", "desc"],
  ] as const;

  it("gives complete lists in order before, during and after", async () => {
    const { path } = await createChat(600);
    const expectWhole = async () => {
      for (const [kind, order] of walks) {
        expect(await walk(path, kind, order), `${kind} ${order}`).to.deep.equal(upTo(600));
      }
    };
    await expectWhole();
    // As small as can be, so that the flush lasts for many reads, and in parts, so that it meets each round.
    const flush = drain(2);
    const flushPart = async () => {
      for (let batch = 0; batch < 50; batch += 1) await flush.flushOnce("messages", "manual");
    };
    for (let round = 0; round < 6; round += 1) await Promise.all([flushPart(), expectWhole()]);
    expect((await buffer.totals.read(0)).pending).to.deep.equal({ chats: 0, messages: 0 });
    await expectWhole();
  });

  const pageRequests: readonly PageRequest[] = (["asc", "desc"] as const).flatMap((order) => [
    ...[1, 2, 3, 5, 6, 9].map((number) => ({ start: { kind: "page" as const, number }, perPage: 7, order })),
    ...[0, 20, 32, 41].map((after) => ({ start: { kind: "after" as const, after }, perPage: 7, order })),
  ]);

  /** A page, where each look at either side is followed by a flush of some of what is pending. */
  async function readWhileFlushing(path: string, request: PageRequest) {
    const [, token = "", chatNumber] = /applications\/(.*)\/chats\/(\d+)/.exec(path) ?? [];
    const single = drain(5);
    const andFlush = async <T>(look: Promise<T>): Promise<T> => {
      const seen = await look;
      await single.flushOnce("messages", "manual");
      return seen;
    };
    const parent = { token, chatNumber: Number(chatNumber) };
    const { stored, toRecord, revise } = messagesOf(store, token, parent.chatNumber);
    const page = await mergedPage<Message>(
      { page: (query) => andFlush(buffer.reads.page(parent, query)), toRecord, revise },
      {
        slice: (slice) => andFlush(stored.slice(slice)),
        count: (first, end, except) => andFlush(stored.count(first, end, except)),
        numberAt: (rank) => andFlush(stored.numberAt(rank)),
      },
      request,
    );
    if (page === "gone") throw new Error("the chat is gone");
    return page;
  }

  /** What becomes of 40 stored and 20 pending messages before the page is read. */
  interface Edits {
    /** Numbers that are deleted, and flushed as such. */
    readonly removed: readonly number[];
    readonly deleted: readonly number[];
    readonly changed: readonly number[];
    /** Whether a flush has written the pending ones, and not acknowledged them, when they are changed. */
    readonly isWritten: boolean;
  }

  // Deleted ones leave room on pages that would be full of stored records, right before the first pending one as well.
  const edits: Readonly<Record<string, Edits>> = {
    "of all that was accepted": { removed: [], deleted: [], changed: [], isWritten: false },
    "of what is left, as it is now": {
      removed: [3, 4, 5, 12, 36, 37, 38, 39],
      deleted: [22, 35, 44, 45],
      changed: [2, 40, 41, 43, 50, 51],
      isWritten: false,
    },
    "of what is left, which was written in an older form": {
      removed: [3, 4, 5, 12, 34, 35, 36, 37, 38, 39, 40],
      deleted: [22, 44, 45],
      changed: [2, 33, 41, 43, 47, 48],
      isWritten: true,
    },
  };
  for (const [what, { removed, deleted, changed, isWritten }] of Object.entries(edits))
    it(`gives each page ${what}, whole, when a batch is flushed between any two of its looks`, async () => {
      const { token } = await createChat(0);
      for (const [at, request] of pageRequests.entries()) {
        await client.post(`/applications/${token}/chats`);
        const path = `/applications/${token}/chats/${at + 2}/messages`;
        const post = (count: number) =>
          Promise.all(upTo(count).map((number) => client.post(path, { body: `body ${number}` })));
        const remove = (numbers: readonly number[]) =>
          Promise.all(numbers.map((number) => client.send("DELETE", `${path}/${number}`)));
        await post(40);
        await drain(1000).run("threshold");
        await remove(removed);
        await drain(1000).run("threshold");
        await post(20);
        if (isWritten) {
          const { entries } = await buffer.batches.peek(0, "messages", 0, { maxRows: 20, maxBytes: 1e6 });
          await flushing.sink.write("messages", entries);
        }
        await remove(deleted);
        for (const number of changed)
          await client.send("PATCH", `${path}/${number}`, JSON.stringify({ body: "changed" }));

        const { items, hasNext } = await readWhileFlushing(path, request);
        const left = upTo(60).filter((number) => ![...removed, ...deleted].some((one) => one === number));
        const seen = { items: items.map(({ number }) => number), hasNext };
        expect(seen, JSON.stringify(request)).to.deep.equal(modelPage(left, request));
        for (const { number, body } of items)
          expect(body === "changed", `${number}`).to.equal(changed.some((one) => one === number));
      }
    });

  it("reads each record directly after its 201, with a flusher at work", async () => {
    const { token, path } = await createChat(0);
    await buffer.leases.release(flushing.lease);
    const flusher = await startFlusher({ ...workspace.env, MESSAGE_QUEUE_THRESHOLD: "3" });
    await flusher.logged("draining this partition");
    await Promise.all(
      Array.from({ length: 16 }, async (_, writer) => {
        for (let at = 0; at < 15; at += 1) {
          const body = `body of ${writer}/${at}`;
          const posted = await client.post<{ number: number }>(path, { body });
          const read = await client.get<{ body: string }>(`${path}/${posted.body.number}`);
          expect([posted.status, read.status, read.body.body]).to.deep.equal([201, 200, body]);
          const chat = await client.post<{ number: number }>(`/applications/${token}/chats`, { title: body });
          const found = await client.get<{ title: string }>(
            `/applications/${token}/chats/${chat.body.number}`,
          );
          expect([chat.status, found.status, found.body.title]).to.deep.equal([201, 200, body]);
        }
      }),
    );
    await flusher.end("SIGTERM");
    flushing = await Flushing.begin(buffer, store);
  });

  it("gives an empty list of a known parent, pending or flushed, and 404 where there is none", async () => {
    const token = await createApplication();
    const chats = `/applications/${token}/chats`;
    expect((await client.get<{ chats: unknown[] }>(chats)).body.chats).to.deep.equal([]);
    await client.post(chats);
    expect((await client.get<List>(`${chats}/1/messages`)).body.messages).to.deep.equal([]);
    await drain(1000).run("manual");
    expect((await client.get<List>(`${chats}/1/messages`)).body.messages).to.deep.equal([]);
    expect((await client.get<List>(`${chats}/1/messages?page=9`)).body.messages).to.deep.equal([]);

    const unknown = "/applications/nobody/chats";
    const application = "Can't find an Application with token nobody";
    for (const [path, sentence] of [
      [unknown, application],
      [`${unknown}/1`, application],
      [`${unknown}/1/messages`, application],
      [`${unknown}/1/messages/1`, application],
      [`${chats}/2`, "Can't find a Chat with number 2"],
      [`${chats}/2/messages`, "Can't find a Chat with number 2"],
      [`${chats}/2/messages/1`, "Can't find a Chat with number 2"],
      [`${chats}/1/messages/1`, "Can't find a Message with number 1"],
      [`${chats}/0`, "Can't find a Chat with number 0"],
      [`${chats}/9007199254740993`, "Can't find a Chat with number 9007199254740993"],
      [`${chats}/1/messages/search2`, "Can't find a Message with number search2"],
    ] as const) {
      const { status, body } = await client.get<{ error: string }>(path);
      expect([status, body.error], path).to.deep.equal([404, sentence]);
    }
    const posted = await client.post<{ error: string }>(`${chats}/2/messages`, { body: "hello" });
    expect([posted.status, posted.body.error]).to.deep.equal([
      404,
      `Chat 2 not found for application ${token}`,
    ]);
  });
});

/** What a page of a plain list of ascending numbers is. */
function modelPage(numbers: readonly number[], { start, perPage, order }: PageRequest) {
  const ordered = order === "asc" ? [...numbers] : [...numbers].reverse();
  const rest =
    start.kind === "page"
      ? ordered.slice((start.number - 1) * perPage)
      : ordered.filter((number) => (order === "asc" ? number > start.after : number < start.after));
  return { items: rest.slice(0, perPage), hasNext: rest.length > perPage };
}
