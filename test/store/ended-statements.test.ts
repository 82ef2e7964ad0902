import { expect } from "chai";

import { openStore, type Store } from "../../src/store/store.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

/** Enough that a server which answers one ended statement in thirty by nothing is found out. */
const wantedEnds = 200;
const chatCount = 3;
const messageCount = 40;
const at = new Date("2026-01-02T03:04:05.678Z");
const token = "application";
const slice = { order: "asc", cursor: undefined, limit: messageCount, except: [] } as const;
const rank = { order: "asc", rank: messageCount - 1, end: 1000, except: [], also: [] } as const;

/** Each read that leaves out what lies beneath something deleted, and what must come of it. */
const reads: Readonly<
  Record<string, readonly [read: (store: Store) => Promise<unknown>, isWhole: (answer: unknown) => boolean]>
> = {
  "a chat": [({ reads }) => reads.chats.find([token], 1), (chat) => chat !== undefined],
  "a list of chats": [({ reads }) => reads.chats.slice([token], slice), has(chatCount)],
  "a message": [({ reads }) => reads.messages.find([token, 1], 1), (message) => message !== undefined],
  "a message to be changed": [
    ({ reads }) => reads.messages.findForChange([token, 1], 1),
    (record) => record !== undefined,
  ],
  "some messages": [({ reads }) => reads.messages.among([token, 1], [1, 2]), has(2)],
  "a list of messages": [({ reads }) => reads.messages.slice([token, 1], slice), has(messageCount)],
  "the count of messages": [
    ({ reads }) => reads.messages.count([token, 1], 1, 1000, []),
    (count) => count === messageCount,
  ],
  "the last message by its rank": [
    ({ reads }) => reads.messages.numberAt([token, 1], rank),
    (number) => number === messageCount,
  ],
  "candidates of a search": [
    ({ searching }) => searching.candidates({ token, chatNumber: 1, after: 0, terms: ["text"], limit: 100 }),
    has(messageCount),
  ],
  "texts to be indexed": [({ searching }) => searching.find([{ token, chatNumber: 1, number: 1 }]), has(1)],
  "a page of an index": [
    ({ searching }) => searching.page(token, { chatNumber: 0, number: 0 }, 100),
    has(messageCount),
  ],
};

function has(length: number): (answer: unknown) => boolean {
  return (answer) => (answer as readonly unknown[]).length === length;
}

/** KILL QUERY, and the limit of MariaDB's max_statement_time. */
const isEnd = (error: unknown) => [1317, 1969].includes((error as { errno?: number }).errno ?? 0);

describe("A statement that is ended in its midst", function () {
  this.timeout(240_000);

  let workspace: Workspace;
  let store: Store;

  before(async () => {
    workspace = await openWorkspace();
    store = openStore(workspace.config.database, "requests");
    const { sql } = workspace;
    const times = { created_at: at, updated_at: at };
    await sql("applications").insert({ token, name: "an application", ...times });
    const chats = Array.from({ length: chatCount }, (_, nth) => ({
      application_token: token,
      number: nth + 1,
      operation_id: "operation0000000",
      ...times,
    }));
    await sql("chats").insert(chats);
    const messages = Array.from({ length: messageCount }, (_, nth) => ({
      application_token: token,
      chat_number: 1,
      number: nth + 1,
      body: "a text",
      operation_id: "operation0000000",
      ...times,
    }));
    await sql("messages").insert(messages);
  });

  after(async () => {
    await store.close();
    await workspace.close();
  });

  /** Ends whatever statement the store's connections are at, again and again, until the signal aborts. */
  async function endStatements(signal: AbortSignal): Promise<void> {
    const { sql, config } = workspace;
    while (!signal.aborted) {
      const [rows] = (await sql.raw(
        "select id as session from information_schema.processlist where db = ? and id <> connection_id()",
        [config.database.name],
      )) as [{ session: number }[]];
      for (const { session } of rows) await sql.raw("kill query ?", [session]).catch(() => undefined);
    }
  }

  for (const [what, [read, isWhole]] of Object.entries(reads))
    it(`is an error and never an answer with less in it: ${what}`, async () => {
      const over = new AbortController();
      const ending = endStatements(over.signal);
      let ends = 0;
      const wrong: unknown[] = [];
      const readOnce = async () => {
        const answer = await read(store);
        if (!isWhole(answer)) wrong.push(answer);
      };
      const countEnd = (error: unknown) => {
        if (!isEnd(error)) throw error;
        ends += 1;
      };
      try {
        while (ends < wantedEnds && wrong.length === 0) await readOnce().catch(countEnd);
      } finally {
        over.abort();
        await ending;
      }
      expect(wrong).to.deep.equal([]);
    });
});
