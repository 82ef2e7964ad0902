import { connect } from "node:net";
import { once } from "node:events";

import { expect } from "chai";
import fc from "fast-check";

import { type Buffer as PendingBuffer, openBuffer } from "../../src/buffer/buffer.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { Client } from "../support/client.ts";
import { Flushing } from "../support/flushing.ts";
import { type SluiceProcess, startApi } from "../support/sluice-process.ts";
import { waitFor } from "../support/wait-for.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

const maxBytes = 2000;

const bodies: Record<string, string> = {
  "an emoji": "👋",
  "an emoji of many parts": "👩‍👩‍👧‍👦🏳️‍🌈👍🏽",
  "characters of four bytes": "𝒮𝓁𝓊𝒾𝒸𝑒 𠜎𠜱",
  quotes: `'single' "double" \`back\` ''doubled''`,
  backslashes: "\\ \\\\ \\n \\' \\0 \\",
  "a NUL": "before\0after\0",
  "nothing but a NUL": "\0",
  "control characters": "\u0001\u0007\b\t\n\v\f\r\u001a\u001b\u007f\u0085",
  "line separators": "one\u2028two\u2029three",
  "right-to-left text": "שלום עולם مرحبا \u202egnirts\u202c \u200f",
  "combining marks, as they came": "e\u0301 é \u1112\u1161\u11ab 한",
  "the end of Unicode": "\u{10ffff}\uffff\ufffe\ufffd\ufeff",
  "white space around": "  \t around \n ",
  "what looks like SQL": "'); drop table messages; -- ?? ? :name $1 %s {}",
  "what looks like JSON": '{"body":"inner"}',
  "what the buffer is written in": "2|x||=y||a1:z|z | = - x |",
  "as much as is taken": "é".repeat(maxBytes / 2),
};

describe("A message's body", () => {
  let workspace: Workspace;
  let api: { process: SluiceProcess; url: string };
  let client: Client;
  let buffer: PendingBuffer;
  let store: Store;
  let path: string;

  before(async () => {
    workspace = await openWorkspace({ LOG_LEVEL: "info", MESSAGE_MAX_BYTES: String(maxBytes) });
    api = await startApi(workspace.env);
    client = new Client(api.url);
    const limits = { ...workspace.config.buffer, thresholds: { chats: 10, messages: 10 } };
    buffer = await openBuffer({ ...workspace.config.redis, limits }, "draining");
    store = openStore(workspace.config.database, "writing");
    const created = await client.post<{ token: string }>("/applications", { name: "bodies" });
    const chats = `/applications/${created.body.token}/chats`;
    await client.post(chats);
    path = `${chats}/1/messages`;
  });

  after(async () => {
    client.close();
    await api.process.end("SIGTERM");
    buffer.close();
    await store.close();
    await workspace.close();
  });

  async function flush(): Promise<void> {
    const flushing = await Flushing.begin(buffer, store);
    await flushing.drain({ thresholds: { chats: 1, messages: 1 }, maxRows: 1000 }).run("manual");
    await buffer.leases.release(flushing.lease);
    expect((await buffer.totals.read(0)).pending.messages).to.equal(0);
  }

  const post = (body: string) => client.post<{ number: number; message: { body: string } }>(path, { body });
  const read = async (number: number) => (await client.get<{ body: string }>(`${path}/${number}`)).body.body;

  /** Accepts bodies and looks at each in the answer, in the buffer, in MySQL's own bytes and through the API. */
  async function expectUnmangled(texts: readonly string[]): Promise<void> {
    const sent = new Map<number, string>();
    for (const text of texts) {
      const { status, body } = await post(text);
      expect(status, JSON.stringify(text)).to.equal(201);
      expect(body.message.body).to.equal(text);
      expect(await read(body.number)).to.equal(text);
      sent.set(body.number, text);
    }
    await flush();
    const rows: { number: number; bytes: string }[] = await workspace
      .sql("messages")
      .whereIn("number", [...sent.keys()])
      .select("number", workspace.sql.raw("hex(body) as bytes"));
    const stored = new Map(rows.map(({ number, bytes }) => [number, bytes.toLowerCase()]));
    for (const [number, text] of sent) {
      expect(stored.get(number)).to.equal(Buffer.from(text, "utf8").toString("hex"));
      expect(await read(number)).to.equal(text);
    }
  }

  for (const [what, text] of Object.entries(bodies)) {
    it(`survives buffer and MySQL byte for byte: ${what}`, async () => {
      await expectUnmangled([text]);
    });
  }

  it("survives buffer and MySQL byte for byte, whatever it is", async () => {
    const text = fc.string({ unit: "binary", minLength: 1, maxLength: 200 }).filter((one) => /\S/.test(one));
    const texts = fc.array(text, { minLength: 100, maxLength: 100 });
    await fc.assert(fc.asyncProperty(texts, expectUnmangled), { numRuns: 1, endOnFailure: true });
  });

  it("survives as a chat's title too", async () => {
    const chats = path.replace("/1/messages", "");
    const title = `${bodies["an emoji of many parts"] ?? ""}\0'"\\\u2028`;
    const created = await client.post<{ number: number }>(chats, { chat: { title } });
    const titleOf = async () =>
      (await client.get<{ title: string }>(`${chats}/${created.body.number}`)).body.title;
    expect(await titleOf()).to.equal(title);
    await flush();
    expect(await titleOf()).to.equal(title);
  });

  describe("that cannot be taken", () => {
    const required = "Invalid request body: body is required";
    const refused: Record<
      string,
      readonly [json: string | undefined, status: number, error: string | RegExp]
    > = {
      missing: ["{}", 400, required],
      "not there at all": [undefined, 400, required],
      "missing in its wrapper": ['{"message":{}}', 400, required],
      null: ['{"body":null}', 400, required],
      empty: ['{"body":""}', 400, required],
      blank: ['{"body":" \\t\\n\\u00a0\\u3000\\u2028"}', 400, required],
      "a number": ['{"body":42}', 400, /^Invalid request body: body must be a string/],
      "a list": ['{"body":["hello"]}', 400, /^Invalid request body: body must be a string/],
      "an object": ['{"body":{"body":"hello"}}', 400, /^Invalid request body: body must be a string/],
      "true or false": ['{"body":true}', 400, /^Invalid request body: body must be a string/],
      "half a surrogate pair": ['{"body":"a\\ud83d"}', 400, /^Invalid request body: .*well-formed/],
      "the other half": ['{"body":"\\udc4bz"}', 400, /^Invalid request body: .*well-formed/],
      "a pair the wrong way round": ['{"body":"\\udc4b\\ud83d"}', 400, /^Invalid request body/],
      "one byte too large": [
        JSON.stringify({ body: `x${"é".repeat(maxBytes / 2)}` }),
        413,
        /larger than 2000/,
      ],
      "far too large": [JSON.stringify({ body: "x".repeat(100_000) }), 413, /larger than/],
      "no JSON": ['{"body":"hello"', 400, /^Invalid request body/],
      "no object": ['"hello"', 400, /^Invalid request body/],
    };

    for (const [what, [json, status, error]] of Object.entries(refused)) {
      it(`gets the contract's error and no number: ${what}`, async () => {
        const last = await post("the last good one");
        const answer = await client.send<{ error: string; code: string }>("POST", path, json);
        expect(answer.status).to.equal(status);
        if (typeof error === "string") expect(answer.body.error).to.equal(error);
        else expect(answer.body.error).to.match(error);
        expect(answer.headers["content-type"]).to.include("application/problem+json");
        const next = await post("the next good one");
        expect(next.body.number).to.equal(last.body.number + 1);
      });
    }

    it("gets an error and no number where its bytes are no UTF-8", async () => {
      const last = await post("the last good one");
      for (const bytes of ["ff", "c3", "eda081", "c080", "f4908080"]) {
        const json = Buffer.concat([Buffer.from('{"body":"a'), Buffer.from(bytes, "hex"), Buffer.from('"}')]);
        const answer = await fetch(new URL(path, api.url), {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: json,
        });
        expect(answer.status, bytes).to.equal(400);
      }
      expect((await post("the next good one")).body.number).to.equal(last.body.number + 1);
    });
  });

  it("that is cut off when its client hangs up costs no number and no line in the log", async () => {
    /** Accepts a message under an id, and answers its number and where the request stands in the log. */
    async function postAs(id: string): Promise<{ number: number; line: number }> {
      const json = JSON.stringify({ body: "a good one" });
      const { body } = await client.send<{ number: number }>("POST", path, json, { "x-request-id": id });
      const line = () => api.process.log.findIndex(({ requestId }) => requestId === id);
      await waitFor(() => line() >= 0, { what: `the line of ${id}` });
      return { number: body.number, line: line() };
    }
    const before = await postAs("before");
    const { hostname, port } = new URL(api.url);
    const beginnings = [
      'content-length: 500\r\n\r\n{"body":"cut o',
      "content-length: 500\r\n\r\n",
      'transfer-encoding: chunked\r\n\r\n10\r\n{"body":"cut off',
      "content-length: 500\r\n",
    ];
    for (const beginning of beginnings) {
      for (const hangUp of ["destroy", "resetAndDestroy", "end"] as const) {
        const socket = connect(Number(port), hostname);
        socket.on("error", () => undefined);
        await once(socket, "connect");
        const head = `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n`;
        await new Promise((resolve) => socket.write(`${head}${beginning}`, resolve));
        // The server has seen the beginning once it answers somebody who came later.
        await client.get("/livez");
        const closed = new Promise((resolve) => socket.once("close", resolve));
        socket[hangUp]();
        if (hangUp === "end") socket.resume();
        await closed;
      }
    }
    const after = await postAs("after");
    expect(after.number).to.equal(before.number + 1);
    const lines = api.process.log.slice(before.line, after.line + 1);
    expect(lines.map(({ msg, status }) => [msg, status])).to.deep.equal([
      ["request", 201],
      ["request", 201],
    ]);
    expect(api.process.noise).to.deep.equal([]);
  });

  it("is never in the log, nor is the token of its application", () => {
    const everything = JSON.stringify(api.process.log);
    expect(everything).to.not.include("good one");
    expect(everything).to.not.include(path.split("/")[2] ?? "");
  });
});
