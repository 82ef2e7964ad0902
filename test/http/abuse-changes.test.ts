import { expect } from "chai";
import * as fc from "fast-check";
import { once } from "node:events";
import { connect } from "node:net";
import { expectProblem, malformed, oddNumbers, oddTokens } from "./odd.ts";
import type { Shell } from "./shell.ts";
import { eventually, exchange, messageMaxBytes, patch, put, send, startShell, token } from "./shell.ts";

const isDefect = ({ level }: { readonly level: string }) => level !== "info" && level !== "debug";

describe("abuse of changes", () => {
  let shell: Shell;
  before(async () => {
    shell = await startShell();
  });
  after(() => shell.close());
  afterEach("nothing was changed, and nothing is an error of the server's", () => {
    expect(shell.recorded.changes).to.deep.equal([]);
    expect(shell.log.filter(isDefect)).to.be.empty;
  });

  const application = () => `${shell.url}/applications/${token}`;
  const chat = () => `${application()}/chats/2`;
  const message = () => `${chat()}/messages/3`;
  const records = () => [application(), chat(), message()];

  for (const [verb, change] of Object.entries({ PUT: put, PATCH: patch })) {
    describe(`by ${verb}`, () => {
      for (const [name, body] of Object.entries(malformed)) {
        it(`is answered with 400 where the body is ${name}`, async () => {
          // A member that is read may be anything but text: that is a fault of the field, not of the body.
          const status = name === "very deep objects" ? 422 : 400;
          expectProblem(await change(message(), body), status);
          if (status === 400)
            for (const url of [application(), chat()]) expectProblem(await change(url, body), 400);
        });
      }

      it("is answered with 400 where the body is not UTF-8", async () => {
        const bytes = Buffer.concat([Buffer.from('{"name":"a'), Buffer.from([0xc3]), Buffer.from('"}')]);
        for (const url of records())
          expectProblem(await change(url, new Uint8Array(bytes)), 400, "invalid_body");
      });

      it("is answered with 400 where the wrapper is no object", async () => {
        expectProblem(await change(application(), '{"application":"x"}'), 400, "invalid_body");
        expectProblem(await change(chat(), '{"chat":[]}'), 400, "invalid_body");
        expectProblem(await change(message(), '{"message":1}'), 400, "invalid_body");
      });

      it("is answered with 422 where a field is of another type", async () => {
        for (const wrong of ["0", "true", "[]", '["a"]', "{}", '{"body":"a"}', '"\\ud800"']) {
          expectProblem(await change(application(), `{"name":${wrong}}`), 422, "invalid_fields");
          expectProblem(await change(chat(), `{"title":${wrong}}`), 422, "invalid_fields");
          expectProblem(await change(message(), `{"body":${wrong}}`), 422, "invalid_fields");
        }
      });

      it("is answered with 413 where a body is too large", async () => {
        const huge = JSON.stringify({ name: "x".repeat(300_000) });
        for (const url of records()) expectProblem(await change(url, huge), 413, "body_too_large");
        const body = "x".repeat(messageMaxBytes + 1);
        expectProblem(await change(message(), JSON.stringify({ body })), 413);
      });

      it("is answered with 415 where the body is something else than JSON in UTF-8", async () => {
        for (const url of records()) {
          for (const type of [
            "text/plain",
            "application/json; charset=utf-16",
            "application/merge-patch+json",
          ])
            expectProblem(await change(url, '{"name":"a"}', { "content-type": type }), 415);
          expectProblem(await change(url, '{"name":"a"}', { "content-encoding": "br" }), 415);
        }
      });

      it("by hanging up in the middle of a body changes nothing", async () => {
        const head = `${verb} /applications/${token} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n`;
        const seen = shell.log.length;
        const socket = connect(shell.port, "127.0.0.1");
        socket.write(`${head}Content-Length: 100\r\n\r\n{"name":"a"`);
        await once(shell.server, "request");
        socket.resetAndDestroy();
        await eventually(() => shell.log.slice(seen).some((line) => line["status"] === 499));
      });
    });
  }

  const everyVerb = (url: string) =>
    Promise.all([put(url, '{"name":"a","body":"a"}'), patch(url, "{}"), send(url, { method: "DELETE" })]);

  for (const odd of oddNumbers) {
    it(`is answered with the 404 of the record where its number is ${odd}`, async () => {
      for (const answer of await everyVerb(`${application()}/chats/${odd}`))
        expectProblem(answer, 404, "chat_not_found");
      for (const answer of await everyVerb(`${application()}/chats/${odd}/messages/1`))
        expectProblem(answer, 404, "chat_not_found");
      for (const answer of await everyVerb(`${application()}/chats/1/messages/${odd}`))
        expectProblem(answer, 404, "message_not_found");
    });
  }

  for (const odd of oddTokens) {
    it(`is answered with 404 where a token is ${odd.slice(0, 20)}`, async () => {
      for (const path of ["", "/chats/1", "/chats/1/messages/1"]) {
        for (const answer of await everyVerb(`${shell.url}/applications/${odd}${path}`))
          expectProblem(answer, 404, "application_not_found");
      }
    });
  }

  it("by DELETE of a whole list is answered with 405", async () => {
    for (const url of [`${shell.url}/applications`, `${application()}/chats`, `${chat()}/messages`]) {
      const answer = await send(url, { method: "DELETE" });
      expectProblem(answer, 405, "method_not_allowed");
      expect(answer.headers.get("allow")?.split(", ")).to.have.members(["GET", "HEAD", "POST", "OPTIONS"]);
    }
  });

  it("by a header that names another method is not heard", async () => {
    for (const header of ["x-http-method-override", "x-method-override"]) {
      const { status } = await send(application(), { headers: { [header]: "DELETE" } });
      expect(status).to.equal(200);
    }
    expect((await send(`${application()}?_method=DELETE`)).status).to.equal(200);
  });
});

describe("a DELETE with a body", () => {
  it("leaves it unread and its connection in order", async () => {
    const shell = await startShell();
    try {
      const one = `DELETE /applications/${token} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n`;
      const reply = await exchange(shell.port, `${one}\r\n{not json${one}Connection: close\r\n\r\n{not json`);
      expect(reply.match(/HTTP\/1\.1 200 OK/g)).to.have.length(2);
      expect(shell.recorded.changes).to.have.length(2);
    } finally {
      await shell.close();
    }
  });
});

describe("any JSON at all", () => {
  it("is answered by every route as the description has it, and never with 500", async () => {
    const shell = await startShell();
    const field = fc.constantFrom("name", "title", "body", "application", "chat", "message", "__proto__");
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        { depthSize: "small" },
        fc.jsonValue(),
        fc
          .array(fc.tuple(field, tie("node")), { maxLength: 3 })
          .map((members) => Object.fromEntries(members)),
      ),
    })).node;
    const path = fc.constantFrom(
      "/applications",
      "/applications/t",
      "/applications/t/chats",
      "/applications/t/chats/1",
      "/applications/t/chats/1/messages",
      "/applications/t/chats/1/messages/1",
    );
    const method = fc.constantFrom("POST", "PUT", "PATCH", "DELETE");
    try {
      await fc.assert(
        fc.asyncProperty(method, path, value, async (verb, where, json) => {
          const { status } = await send(shell.url + where, {
            method: verb,
            body: JSON.stringify(json),
            headers: { "content-type": "application/json" },
          });
          expect(status).to.be.below(500);
        }),
        { numRuns: 1000 },
      );
      expect(shell.log.filter(isDefect)).to.be.empty;
    } finally {
      await shell.close();
    }
  });
});
