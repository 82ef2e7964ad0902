import { expect } from "chai";
import { applicationNotFound, bufferFull, bufferUnavailable } from "../../src/errors.ts";
import { application, exchange, messageMaxBytes, post, put, send, startShell, token } from "./shell.ts";
import type { Parts, Shell } from "./shell.ts";

describe("the routes", () => {
  let shell: Shell;
  before(async () => {
    shell = await startShell();
  });
  after(() => shell.close());

  const times = { created_at: "2026-01-02T03:04:05.678Z", updated_at: "2026-01-02T03:04:05.678Z" };
  const shop = { name: "Shop", token, chats_count: 3, chat_count: 3, ...times };
  const messages = () => `${shell.url}/applications/${token}/chats/2/messages`;

  for (const base of ["", "/api/v1"]) {
    describe(`under "${base}"`, () => {
      it("create an application from a wrapped or a bare name", async () => {
        for (const body of [{ application: { name: "Café 😀" } }, { name: "Café 😀" }]) {
          const answer = await post(`${shell.url}${base}/applications`, JSON.stringify(body));
          expect(answer.status).to.equal(201);
          expect(answer.json).to.deep.equal({ ...shop, name: "Café 😀" });
          expect(answer.headers.get("location")).to.equal(`${base}/applications/${token}`);
        }
      });

      it("accept a chat with a wrapped, a bare and no title", async () => {
        const url = `${shell.url}${base}/applications/${token}/chats`;
        for (const [body, title] of [
          ['{"chat":{"title":"T"}}', "T"],
          ['{"title":"T"}', "T"],
          ['{"title":null}', undefined],
          ["{}", undefined],
          ["", undefined],
        ] as const) {
          const { status, json, headers } = await post(url, body);
          const number = json["number"] as number;
          expect(status).to.equal(201);
          expect(json).to.deep.equal({
            chat: { number, application_token: token, timestamp: times.created_at, ...(title && { title }) },
            number,
            chat_number: number,
          });
          expect(headers.get("location")).to.equal(`${base}/applications/${token}/chats/${number}`);
        }
      });

      it("take a body of chunks that holds nothing for none, whatever is said of it", async () => {
        const before = shell.recorded.titles.length;
        for (const headers of ["", "Content-Type: text/plain\r\n", "Content-Encoding: gzip\r\n"]) {
          const path = `${base}/applications/${token}/chats`;
          const reply = await exchange(
            shell.port,
            `POST ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${headers}` +
              "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
          );
          expect(reply).to.match(/^HTTP\/1\.1 201 /);
        }
        expect(shell.recorded.titles.slice(before)).to.deep.equal([null, null, null]);
      });

      it("take JSON in any spelling of UTF-8 and of no compression", async () => {
        const before = shell.recorded.bodies.length;
        const types = ["UTF-8", '"utf8"', "us-ascii", "ASCII"].map((charset) => ({
          "content-type": `application/json; charset=${charset}`,
        }));
        const codings = ["IDENTITY", "identity", "identity, Identity", ""].map((coding) => ({
          "content-encoding": coding,
        }));
        for (const headers of [...types, ...codings]) {
          const url = `${shell.url}${base}/applications/${token}/chats/2/messages`;
          expect((await post(url, '{"body":"é"}', headers)).status).to.equal(201);
        }
        expect(shell.recorded.bodies.slice(before)).to.deep.equal(Array(8).fill("é"));
      });

      it("accept a message from a wrapped or a bare body", async () => {
        const url = `${shell.url}${base}/applications/${token}/chats/2/messages`;
        for (const body of ['{"message":{"body":"hi"}}', '{"body":"hi"}']) {
          const { status, json, headers } = await post(url, body);
          const number = json["number"] as number;
          expect(status).to.equal(201);
          expect(json).to.deep.equal({
            message: {
              number,
              body: "hi",
              chat_number: 2,
              application_token: token,
              timestamp: times.created_at,
            },
            number,
            message_number: number,
          });
          expect(headers.get("location")).to.equal(
            `${base}/applications/${token}/chats/2/messages/${number}`,
          );
        }
      });

      it("read single records", async () => {
        const url = `${shell.url}${base}/applications/${token}`;
        expect((await send(url)).json).to.deep.equal(shop);
        expect((await send(`${url}/chats/7`)).json).to.deep.equal({
          number: 7,
          title: null,
          messages_count: 0,
          ...times,
        });
        expect((await send(`${url}/chats/7/messages/9`)).json).to.deep.equal({
          number: 9,
          body: "hi",
          ...times,
        });
      });
    });
  }

  it("take another case and a trailing slash for the same address", async () => {
    expect((await send(`${shell.url}/API/V1/Applications/${token}/`)).status).to.equal(200);
  });

  it("hand on a body with NUL, emoji, line separators and right-to-left text as it is", async () => {
    const body = "\u0000 😀👩‍👩‍👧 \u2028 \u2029 שלום مرحبا \"'\\ \uFEFF";
    const { status, json } = await post(messages(), JSON.stringify({ body }));
    expect(status).to.equal(201);
    expect(json["message"]).to.have.property("body", body);
    expect(shell.recorded.bodies.at(-1)).to.equal(body);
  });

  it("accept a message of exactly the greatest size, each byte of it escaped", async () => {
    const escaped = "\\u0001".repeat(messageMaxBytes);
    expect((await post(messages(), `{"body":"${escaped}"}`)).status).to.equal(201);
    expect((await post(messages(), `{"body":"${escaped}\\u0001"}`)).status).to.equal(413);
  });

  it("count a message's size in bytes of UTF-8", async () => {
    const body = "é".repeat(messageMaxBytes / 2);
    expect((await post(messages(), JSON.stringify({ body }))).status).to.equal(201);
    expect((await post(messages(), JSON.stringify({ body: `${body}é` }))).status).to.equal(413);
  });

  it("count a name's length in characters, an emoji as one", async () => {
    const url = `${shell.url}/applications`;
    expect((await post(url, JSON.stringify({ name: "😀".repeat(255) }))).status).to.equal(201);
    expect((await post(url, JSON.stringify({ name: "😀".repeat(256) }))).status).to.equal(422);
  });

  it("answer HEAD like GET, without a body", async () => {
    const answer = await send(`${shell.url}/applications/${token}`, { method: "HEAD" });
    expect(answer.status).to.equal(200);
    expect(answer.text).to.equal("");
    expect(Number(answer.headers.get("content-length"))).to.equal(JSON.stringify(shop).length);
  });

  it("answer OPTIONS with the methods of the address", async () => {
    const answer = await send(`${shell.url}/applications`, { method: "OPTIONS" });
    expect(answer.status).to.equal(204);
    expect(answer.headers.get("allow")?.split(", ")).to.have.members(["GET", "HEAD", "POST", "OPTIONS"]);
  });

  it("answer a known address with 405 and its methods for another method", async () => {
    const answer = await send(`${shell.url}/livez`, { method: "DELETE" });
    expect(answer.status).to.equal(405);
    expect(answer.headers.get("allow")?.split(", ")).to.have.members(["GET", "HEAD", "OPTIONS"]);
    expect(answer.json).to.include({ code: "method_not_allowed", status: 405 });
  });

  it("answer an unknown address with 404", async () => {
    for (const path of ["/", "/nothing", "/api/v1", "/api/v2/applications", "/applications/a/b/c"]) {
      const answer = await send(shell.url + path);
      expect(answer.status, path).to.equal(404);
      expect(answer.headers.get("content-type")).to.equal("application/problem+json");
      expect(answer.json).to.include({ code: "route_not_found" });
    }
  });

  it("say nothing of a body on a GET", async () => {
    expect((await send(`${shell.url}/livez`)).json).to.deep.equal({ status: "live" });
  });

  it("answer metrics as Prometheus text, with routes in place of paths", async () => {
    const { text, headers } = await send(`${shell.url}/metrics`);
    expect(headers.get("content-type")).to.match(/^text\/plain; version=0\.0\.4/);
    expect(text).to.match(
      /sluice_http_requests_total\{route="\/applications\/:token",method="GET",status="200"\} \d/,
    );
    expect(text).to.contain("process_cpu_seconds_total").and.not.contain(token);
  });
});

describe("the routes, with services that refuse", () => {
  const withServices = async (services: Parts, check: (shell: Shell) => Promise<void>) => {
    const shell = await startShell({ services });
    try {
      await check(shell);
    } finally {
      await shell.close();
    }
  };

  it("answer readiness with 503 and every check while one fails", () =>
    withServices(
      {
        readiness: () =>
          Promise.resolve([
            { name: "redis", ready: false, detail: "does not answer" },
            { name: "mysql", ready: true, detail: "answers" },
          ]),
      },
      async (shell) => {
        for (const path of ["/readyz", "/api/v1/healthz"]) {
          const { status, json } = await send(shell.url + path);
          expect(status).to.equal(503);
          expect(json["checks"]).to.deep.equal([
            { name: "redis", ready: false, detail: "does not answer" },
            { name: "mysql", ready: true, detail: "answers" },
          ]);
        }
        expect((await send(`${shell.url}/livez`)).status).to.equal(200);
      },
    ));

  it("answer 503 with Retry-After while the buffer is full", () =>
    withServices(
      { accept: { chat: () => Promise.reject(bufferFull()), message: () => Promise.reject(bufferFull()) } },
      async (shell) => {
        const answer = await post(`${shell.url}/applications/${token}/chats/1/messages`, '{"body":"x"}');
        expect(answer.status).to.equal(503);
        expect(answer.headers.get("retry-after")).to.equal("5");
        expect(answer.json).to.include({ code: "buffer_full", title: "Service Unavailable" });
        expect(shell.log.filter((line) => line.level === "error")).to.be.empty;
      },
    ));

  it("answer 503 as described where an application's creation or deletion needs Redis, and it is away", () =>
    withServices(
      {
        change: {
          createApplication: () => Promise.reject(bufferUnavailable()),
          deleteApplication: () => Promise.reject(bufferUnavailable()),
        },
      },
      async (shell) => {
        const created = await post(`${shell.url}/applications`, '{"name":"x"}');
        expect(created.json).to.include({ code: "buffer_unavailable" });
        const deleted = await send(`${shell.url}/applications/${token}`, { method: "DELETE" });
        expect(deleted.json).to.include({ code: "buffer_unavailable" });
      },
    ));

  it("show an error with the members of RFC 9457 and those of the older clients", () =>
    withServices(
      { change: { updateApplication: () => Promise.reject(applicationNotFound(application.token)) } },
      async (shell) => {
        const { json } = await put(`${shell.url}/applications/${token}`, '{"name":"x"}', {
          "x-request-id": "mine",
        });
        const sentence = `Can't find an Application with token ${token}`;
        expect(json).to.deep.equal({
          type: "about:blank",
          title: "Not Found",
          status: 404,
          detail: sentence,
          code: "application_not_found",
          request_id: "mine",
          error: sentence,
        });
      },
    ));

  it("tell the client nothing of an unforeseen error, and log it once", () =>
    withServices(
      { change: { createApplication: () => Promise.reject(new TypeError("secret detail")) } },
      async (shell) => {
        const { status, text, json } = await post(`${shell.url}/applications`, '{"name":"x"}');
        expect(status).to.equal(500);
        expect(json).to.include({ code: "internal_error" });
        expect(text).not.to.match(/secret|TypeError|\bat /);
        const errors = shell.log.filter((line) => line.level === "error");
        expect(errors).to.have.length(1);
        expect(errors[0]).to.include({ route: "/applications", requestId: json["request_id"] });
      },
    ));
});
