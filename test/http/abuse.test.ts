import { expect } from "chai";
import { once } from "node:events";
import { connect } from "node:net";
import { expectProblem, malformed, oddNumbers, oddTokens } from "./odd.ts";
import type { Shell } from "./shell.ts";
import {
  eventually,
  exchange,
  getWithBody,
  messageMaxBytes,
  post,
  send,
  startShell,
  token,
} from "./shell.ts";

describe("abuse", () => {
  let shell: Shell;
  before(async () => {
    shell = await startShell();
  });
  after(() => shell.close());
  afterEach("nothing was accepted, and nothing is an error of the server's", () => {
    for (const [kind, calls] of Object.entries(shell.recorded)) expect(calls, kind).to.deep.equal([]);
    expect(shell.log.filter((line) => line.level !== "info" && line.level !== "debug")).to.be.empty;
  });

  const messages = () => `${shell.url}/applications/${token}/chats/2/messages`;
  const chats = () => `${shell.url}/applications/${token}/chats`;
  const applications = () => `${shell.url}/applications`;

  for (const [name, body] of Object.entries(malformed)) {
    it(`is answered with 400 where the body is ${name}`, async () => {
      for (const url of [messages(), chats(), applications()]) {
        if (name.startsWith("very deep objects") && url !== messages()) continue;
        expectProblem(await post(url, body), 400);
      }
    });
  }

  it("is answered with 400 where the body is not UTF-8, wherever its chunks are cut", async () => {
    for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x98]]) {
      const body = Buffer.concat([Buffer.from('{"body":"a'), Buffer.from(bytes), Buffer.from('"}')]);
      expectProblem(await post(messages(), new Uint8Array(body)), 400, "invalid_body");
      const head = `POST /applications/${token}/chats/2/messages HTTP/1.1\r\nHost: a\r\nConnection: close\r\n`;
      const json = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
      const chunks = [...body].flatMap((byte) => [
        Buffer.from("1\r\n"),
        Buffer.from([byte]),
        Buffer.from("\r\n"),
      ]);
      const reply = await exchange(
        shell.port,
        Buffer.concat([Buffer.from(head + json), ...chunks, Buffer.from("0\r\n\r\n")]),
      );
      expect(reply).to.match(/^HTTP\/1\.1 400 /);
    }
  });

  it("is answered with the contract's sentence where a message is missing or blank", async () => {
    const blank = [
      "",
      "{}",
      '{"message":{}}',
      '{"message":null}',
      '{"body":null}',
      '{"body":""}',
      '{"body":" \\n\\u3000"}',
    ];
    for (const body of blank) {
      const answer = await post(messages(), body);
      expectProblem(answer, 400, "body_required");
      expect(answer.json["error"]).to.equal("Invalid request body: body is required");
    }
  });

  for (const wrong of ["0", "1.5", "true", "false", "[]", '["a"]', "{}", '{"body":"a"}', '"\\ud800"']) {
    it(`is answered with 400 where a message is ${wrong}`, async () => {
      expectProblem(await post(messages(), `{"body":${wrong}}`), 400, "invalid_body");
      expectProblem(await post(messages(), `{"message":{"body":${wrong}}}`), 400, "invalid_body");
    });
  }

  for (const wrong of ["0", "true", "[]", "{}", '"\\ud800"', `"${"x".repeat(256)}"`]) {
    it(`is answered with 422 where a name or a title is ${wrong.slice(0, 20)}`, async () => {
      const name = await post(applications(), `{"application":{"name":${wrong}}}`);
      expectProblem(name, 422, "invalid_fields");
      expect(name.json["errors"]).to.have.property("name").with.length(1);
      expect(name.json).not.to.have.property("error");
      const title = await post(chats(), `{"title":${wrong}}`);
      expectProblem(title, 422, "invalid_fields");
      expect(title.json["errors"]).to.have.property("title").with.length(1);
    });
  }

  it("is answered with can't be blank where a name is missing or blank", async () => {
    for (const body of ["", "{}", '{"name":null}', '{"name":"  "}', '{"application":{}}', '{"title":"x"}']) {
      const answer = await post(applications(), body);
      expectProblem(answer, 422);
      expect(answer.json["errors"]).to.deep.equal({ name: ["can't be blank"] });
    }
  });

  it("is answered with 400 where the wrapper is no object", async () => {
    expectProblem(await post(messages(), '{"message":"hi"}'), 400, "invalid_body");
    expectProblem(await post(chats(), '{"chat":[]}'), 400, "invalid_body");
    expectProblem(await post(applications(), '{"application":1}'), 400, "invalid_body");
  });

  it("is answered with 413 where a body is too large, announced or not, and the connection goes on", async () => {
    const huge = JSON.stringify({ body: "x".repeat(300_000) });
    expectProblem(await post(messages(), huge), 413, "body_too_large");
    expectProblem(await post(applications(), huge), 413, "body_too_large");
    const stream = new Blob(Array<string>(100).fill(huge)).stream();
    const unannounced = {
      method: "POST",
      body: stream,
      duplex: "half" as const,
      headers: { "content-type": "application/json" },
    };
    expectProblem(await send(messages(), unannounced), 413);
    expectProblem(await post(messages(), JSON.stringify({ body: "x".repeat(messageMaxBytes + 1) })), 413);
  });

  it("is answered with 415 where the body is something else than JSON in UTF-8", async () => {
    const types = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"];
    for (const type of [...types, "application/json; charset=utf-16", "application/jsonp", "x", ";"]) {
      expectProblem(await post(messages(), '{"body":"a"}', { "content-type": type }), 415);
    }
  });

  it("is answered with 415 that says what is wrong: the form, the charset or the compression", async () => {
    const detailFor = async (headers: Record<string, string>) => {
      const answer = await post(messages(), '{"body":"a"}', headers);
      expectProblem(answer, 415, "unsupported_media_type");
      return [answer.json["detail"], answer.headers.get("accept-encoding")];
    };
    const inLatin1 = { "content-type": "application/json; charset=latin1" };
    expect(await detailFor({ "content-type": "text/plain" })).to.deep.equal([
      "The body must be JSON, sent as application/json",
      null,
    ]);
    expect(await detailFor(inLatin1)).to.deep.equal(["The body must be in UTF-8", null]);
    for (const coding of ["gzip", "GZIP", "br", "identity, gzip", "unknown"]) {
      expect(await detailFor({ "content-encoding": coding })).to.deep.equal([
        "The body must not be compressed or encoded otherwise",
        "identity",
      ]);
    }
  });

  for (const odd of oddNumbers) {
    it(`is answered with the 404 of the record where its number is ${odd}`, async () => {
      const base = `${shell.url}/applications/${token}/chats`;
      const shown = decodeURIComponent(odd);
      expect((await send(`${base}/${odd}`)).json["error"]).to.equal(`Can't find a Chat with number ${shown}`);
      expectProblem(await send(`${base}/${odd}/messages`), 404, "chat_not_found");
      expectProblem(await send(`${base}/1/messages/${odd}`), 404, "message_not_found");
      const answer = await post(`${base}/${odd}/messages`, '{"body":"a"}');
      expectProblem(answer, 404, "chat_not_found");
      expect(answer.json["error"]).to.equal(`Chat ${shown} not found for application ${token}`);
    });
  }

  for (const odd of oddTokens) {
    it(`is answered with 404 where a token is ${odd.slice(0, 20)}`, async () => {
      expectProblem(await send(`${shell.url}/applications/${odd}`), 404, "application_not_found");
      expectProblem(await send(`${shell.url}/api/v1/applications/${odd}/chats/1/messages/1`), 404);
      const answer = await post(`${shell.url}/applications/${odd}/chats`, "{}");
      expectProblem(answer, 404, "application_not_found");
      expect(answer.json["error"]).to.match(/^Application with token .* not found$/);
    });
  }

  it("repeats little of a long token", async () => {
    const answer = await send(`${shell.url}/applications/${"x".repeat(8000)}`);
    expectProblem(answer, 404);
    expect(answer.text.length).to.be.below(600);
  });

  it("is not answered with an id that would not be safe in a log", async () => {
    for (const id of ["a b", "x".repeat(129), '"}', "é"]) {
      const { headers } = await send(`${shell.url}/livez`, { headers: { "x-request-id": id } });
      expect(headers.get("x-request-id")).to.match(/^[0-9a-f-]{36}$/);
    }
    const { headers } = await send(`${shell.url}/livez`, { headers: { "x-request-id": "trace-1.2:3_4" } });
    expect(headers.get("x-request-id")).to.equal("trace-1.2:3_4");
  });

  it("on a GET leaves its body unread and its connection in order", async () => {
    for (let turn = 0; turn < 3; turn += 1) {
      expect(await getWithBody(shell.port, "/livez", "{not json".repeat(1000))).to.equal(200);
    }
  });

  it("by hanging up in the middle of a body leaves no line above debug", async () => {
    const lines = shell.log.length;
    for (const ending of ["destroy", "resetAndDestroy"] as const) {
      const socket = connect(shell.port, "127.0.0.1");
      socket.write(
        `POST /applications/${token}/chats/2/messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"body":`,
      );
      const seen = shell.log.length;
      await once(shell.server, "request");
      socket[ending]();
      await eventually(() => shell.log.slice(seen).some((line) => line["status"] === 499));
    }
    expect(shell.log.slice(lines).map((line) => line.level)).to.satisfy((levels: string[]) =>
      levels.every((level) => level === "debug"),
    );
  });
});
