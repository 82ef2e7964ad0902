import { expect } from "chai";
import { once } from "node:events";
import { connect } from "node:net";
import { expectRefusal } from "./odd.ts";
import { eventually, exchange, type Shell, startShell } from "./shell.ts";

describe("What is no request", () => {
  let shell: Shell;
  before(async () => {
    shell = await startShell();
  });
  after(() => shell.close());

  const refusals: Record<string, readonly [bytes: string, status: number, code: string]> = {
    "another version of HTTP": ["GET / HTTP/9.9\r\n\r\n", 400, "malformed_request"],
    "a negative length": [
      "POST /applications HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
      400,
      "malformed_request",
    ],
    "no host": ["GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n", 400, "malformed_request"],
    "headers of many bytes": [
      `GET /livez HTTP/1.1\r\nHost: a\r\nX-Long: ${"x".repeat(20_000)}\r\n\r\n`,
      431,
      "headers_too_large",
    ],
    "an expectation that is not known": [
      "GET /livez HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nConnection: close\r\n\r\n",
      417,
      "expectation_failed",
    ],
    "chunks with long extensions": [
      "POST /applications HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" +
        `Transfer-Encoding: chunked\r\n\r\n5;${"x".repeat(20_000)}\r\n{"nam\r\n`,
      413,
      "chunk_extensions_too_large",
    ],
    "malformed chunks": [
      "POST /applications HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" +
        'Transfer-Encoding: chunked\r\n\r\n5\r\n{"nam\r\nzz\r\n',
      400,
      "malformed_request",
    ],
  };
  for (const [what, [bytes, status, code]] of Object.entries(refusals)) {
    it(`${what} is answered once, with a problem of status ${status}`, async () => {
      expectRefusal(await exchange(shell.port, bytes), status, code);
    });
  }

  for (const [what, rest] of [
    ["HTTP", "no HTTP\r\n\r\n"],
    ["chunks", "POST /applications HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
  ] as const) {
    it(`malformed ${what} behind a request that waits is no answer to that request`, async () => {
      let answer: () => void = () => undefined;
      const held = new Promise<void>((resolve) => (answer = resolve));
      const slow = await startShell({ services: { readiness: () => held.then(() => []) } });
      try {
        const socket = connect(slow.port, "127.0.0.1");
        let reply = "";
        socket.setEncoding("utf8").on("data", (chunk: string) => (reply += chunk));
        socket.write("GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n");
        await once(slow.server, "request");
        socket.write(rest);
        await once(socket, "close");
        expect(reply).to.equal("");
      } finally {
        answer();
        await slow.close();
      }
    });
  }

  it("malformed HTTP behind a request that was answered is answered as well", async () => {
    const socket = connect(shell.port, "127.0.0.1");
    let reply = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => (reply += chunk));
    socket.write("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n");
    await eventually(() => reply.endsWith("}"));
    const first = reply.length;
    socket.write("no HTTP\r\n\r\n");
    await once(socket, "close");
    expectRefusal(reply.slice(first), 400, "malformed_request");
  });
});

describe("a slow upload", () => {
  it("is cut off with 408 and is no error of the server's", async () => {
    // Time enough for the head to be read on a busy machine: what is late must be the body.
    const patience = { headersMs: 1000, requestMs: 1000, idleMs: 1000, checkEveryMs: 20 };
    const shell = await startShell({ patience });
    try {
      const head = `POST /applications HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{`;
      const reply = await exchange(shell.port, head);
      expectRefusal(reply, 408, "request_timeout");
      await eventually(() => shell.log.some((line) => line["status"] === 499));
      expect(shell.log.every((line) => line.level === "debug")).to.equal(true);
    } finally {
      await shell.close();
    }
  });
});
