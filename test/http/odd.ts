import { expect } from "chai";
import type { Answer } from "./shell.ts";

/** Bodies that are no JSON object, or one that nobody should be given. */
export const malformed: Record<string, string> = {
  "half an object": '{"body":',
  "no JSON": "hello",
  "a plain value": '"hi"',
  "two objects": '{"body":"a"}{"body":"b"}',
  "a comment": '{"body":"a"/**/}',
  "a __proto__": '{"body":"a","__proto__":{"x":1}}',
  "an escaped __proto__": '{"message":{"body":"a","\\u005f_proto__":{"x":1}}}',
  "a raw NUL": '{"body":"a\u0000"}',
  "a list": '["a"]',
  "very deep lists": "[".repeat(3000) + "]".repeat(3000),
  "very deep objects": '{"body":'.repeat(900) + "1" + "}".repeat(900),
};

/** What no record has for a number, as it stands in a path. */
export const oddNumbers = [
  "0",
  "-1",
  "1.5",
  "1e3",
  "01",
  "+1",
  "٣",
  "%31%00",
  "99999999999999999999",
  "9007199254740992",
  "x",
];

/** What no application has for a token, as it stands in a path. */
export const oddTokens = [
  "a%2Fb",
  "%2e%2e%2fetc",
  "%00",
  "%",
  "%zz",
  "%c3",
  "a%20b",
  "a.b",
  "*",
  "x".repeat(65),
  "%F0%9F%98%80",
];

/** Fails where an answer is not the problem it should be, or tells more than it should. */
export const expectProblem = (answer: Answer, status: number, code?: string) => {
  expect(answer.status, answer.text).to.equal(status);
  expect(answer.headers.get("content-type")).to.equal("application/problem+json");
  expect(answer.json).to.include({
    status,
    request_id: answer.headers.get("x-request-id"),
    ...(code && { code }),
  });
  expect(answer.text).not.to.match(/\bat .*:\d+/);
};

/** Fails where a whole reply is not that one problem, behind which the connection ends. */
export const expectRefusal = (reply: string, status: number, code: string) => {
  expect(reply.match(/HTTP\/1\.1 /g)).to.have.length(1);
  const [head = "", text = ""] = reply.split("\r\n\r\n", 2);
  expect(head).to.match(new RegExp(`^HTTP/1\\.1 ${status} `));
  const headers = new Map(
    head
      .split("\r\n")
      .slice(1)
      .map((line) => [line.split(": ")[0]?.toLowerCase(), line.split(": ")[1]]),
  );
  expect(headers.get("connection")).to.equal("close");
  expect(headers.get("content-type")).to.equal("application/problem+json");
  expect(headers.get("cache-control")).to.equal("no-store");
  expect(headers.get("content-length")).to.equal(String(Buffer.byteLength(text)));
  const requestId = headers.get("x-request-id");
  expect(JSON.parse(text)).to.deep.include({ status, code, request_id: requestId });
};
