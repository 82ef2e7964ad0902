import { expect } from "chai";
import { request } from "node:http";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { MemoryServices } from "./memory.ts";
import type { Shell } from "./shell.ts";
import { post, replayedKey, startShell, token } from "./shell.ts";

describe("an Idempotency-Key", () => {
  let shell: Shell;
  before(async () => {
    shell = await startShell();
  });
  after(() => shell.close());
  beforeEach(() => shell.recorded.idempotency.splice(0));

  const chats = (base = "", of = token) => `${shell.url}${base}/applications/${of}/chats`;
  const messages = (base = "", chat = 2) => `${chats(base)}/${chat}/messages`;
  const last = () => shell.recorded.idempotency.at(-1);
  const fingerprint = async (url: string, body: string) => {
    expect((await post(url, body, { "idempotency-key": "k" })).status).to.equal(201);
    return last()?.fingerprint;
  };

  it("is not there where none was sent", async () => {
    await post(messages(), '{"body":"a"}');
    expect(last()).to.equal(undefined);
  });

  const accepted: [string, string][] = [
    ["abc", "abc"],
    ['"abc"', "abc"],
    ['"a\\"b\\\\c"', 'a"b\\c'],
    ["a b, c", "a b, c"],
    ['a"b', 'a"b'],
    ["~!*'();:@&=+$/?#[]", "~!*'();:@&=+$/?#[]"],
    ["x".repeat(255), "x".repeat(255)],
    [`"${"x".repeat(255)}"`, "x".repeat(255)],
  ];
  for (const [sent, key] of accepted) {
    it(`of ${sent.slice(0, 20)} is ${key.slice(0, 20)} for each of the three POSTs`, async () => {
      const headers = { "idempotency-key": sent };
      for (const [url, body] of [
        [`${shell.url}/applications`, '{"name":"a"}'],
        [chats(), ""],
        [messages(), '{"body":"a"}'],
      ] as const) {
        expect((await post(url, body, headers)).status).to.equal(201);
        expect(last()?.key).to.equal(key);
        expect(last()?.fingerprint).to.match(/^[0-9a-f]{64}$/);
      }
    });
  }

  for (const wrong of ["", '""', '"', '"abc', '"a"b"', '"a\\b"', '"abc";x=1', "é", "a\tb", "x".repeat(256)]) {
    it(`of ${wrong.slice(0, 20) || "nothing"} is refused with 400`, async () => {
      const { status, json } = await post(messages(), '{"body":"a"}', { "idempotency-key": wrong });
      expect(status).to.equal(400);
      expect(json).to.include({ code: "invalid_idempotency_key" });
      expect(shell.recorded.idempotency).to.be.empty;
    });
  }

  it("that comes twice is refused with 400", async () => {
    const outgoing = request(messages(), {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": ["a", "b"] },
    });
    outgoing.end('{"body":"a"}');
    const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
    incoming.resume();
    expect(incoming.statusCode).to.equal(400);
  });

  it("goes with the same fingerprint for the same request, however it is written", async () => {
    const prints = [
      await fingerprint(messages(), '{"body":"a"}'),
      await fingerprint(messages("/api/v1"), '{ "message": {"body": "\\u0061"} }'),
      await fingerprint(messages("/API/v1"), '{"body":"a","unknown":1}'),
      await fingerprint(`${messages()}/`, '{"body":"a"}'),
    ];
    expect(new Set(prints)).to.have.property("size", 1);
    expect(await fingerprint(chats(), "")).to.equal(await fingerprint(chats(), '{"chat":{"title":null}}'));
  });

  it("goes with another fingerprint for another request", async () => {
    const prints = [
      await fingerprint(messages(), '{"body":"a"}'),
      await fingerprint(messages(), '{"body":"b"}'),
      await fingerprint(messages(), '{"body":"a "}'),
      await fingerprint(messages("", 3), '{"body":"a"}'),
      await fingerprint(chats(), '{"title":"a"}'),
      await fingerprint(chats(), ""),
      await fingerprint(chats("", "other"), ""),
      await fingerprint(`${shell.url}/applications`, '{"name":"a"}'),
    ];
    expect(new Set(prints)).to.have.property("size", prints.length);
  });

  it("seen before is answered with Idempotency-Replayed", async () => {
    for (const [url, body] of [
      [`${shell.url}/applications`, '{"name":"a"}'],
      [chats(), ""],
      [messages(), '{"body":"a"}'],
    ] as const) {
      const fresh = await post(url, body, { "idempotency-key": "new" });
      expect(fresh.headers.has("idempotency-replayed")).to.equal(false);
      const replayed = await post(url, body, { "idempotency-key": replayedKey });
      expect(replayed.status).to.equal(201);
      expect(replayed.headers.get("idempotency-replayed")).to.equal("true");
    }
  });
});

describe("a POST repeated under its Idempotency-Key", () => {
  let shell: Shell;
  before(async () => {
    shell = await startShell({ services: new MemoryServices() });
  });
  after(() => shell.close());

  it("has the same answer, and with another body 422", async () => {
    const applications = `${shell.url}/applications`;
    const first = await post(applications, '{"name":"Shop"}', { "idempotency-key": "1" });
    const again = await post(applications, '{"application":{"name":"Shop"}}', { "idempotency-key": '"1"' });
    expect(again.json).to.deep.equal(first.json);
    expect(again.headers.get("location")).to.equal(first.headers.get("location"));
    const other = await post(applications, '{"name":"Other"}', { "idempotency-key": "1" });
    expect(other.status).to.equal(422);
    expect(other.json).to.include({ code: "idempotency_key_reused" });

    const chats = `${applications}/${String(first.json["token"])}/chats`;
    for (const [url, body, otherBody] of [
      [chats, "", '{"title":"x"}'],
      [`${chats}/1/messages`, '{"body":"a"}', '{"body":"b"}'],
    ] as const) {
      const one = await post(url, body, { "idempotency-key": "2" });
      expect((await post(url, body, { "idempotency-key": "2" })).json).to.deep.equal(one.json);
      expect((await post(url, otherBody, { "idempotency-key": "2" })).status).to.equal(422);
      expect((await post(url, body)).json["number"]).to.equal(2);
    }
  });
});
