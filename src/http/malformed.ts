/**
 * What never becomes a request of the API: no HTTP, too late or too large. Node would answer it in words of its own;
 * here it is answered as every other error is.
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import {
  type ApiError,
  chunkExtensionsTooLarge,
  expectationFailed,
  headersTooLarge,
  malformedRequest,
  requestTimedOut,
} from "../errors.ts";
import { securityHeaders } from "./middleware/security-headers.ts";
import { problemOf } from "./problem.ts";

/** By Node's codes; whatever else a parser says is malformed. */
const refusals: ReadonlyMap<string | undefined, () => ApiError> = new Map([
  ["ERR_HTTP_REQUEST_TIMEOUT", requestTimedOut],
  ["HPE_CHUNK_EXTENSIONS_OVERFLOW", chunkExtensionsTooLarge],
  ["HPE_HEADER_OVERFLOW", headersTooLarge],
]);

/** Answers, as problems, what a server refuses before its handler is called. The connection ends behind each. */
export function refuseMalformed(server: Server): void {
  const answers = new WeakMap<Duplex, ServerResponse>();
  server.prependListener("request", ({ socket }, response) => {
    answers.set(socket, response);
  });
  server.on("checkExpectation", (_request, response) => {
    refuse(response, expectationFailed());
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    const refusal = (refusals.get(error.code) ?? malformedRequest)();
    if (socket.writable && isFree(answers.get(socket))) socket.write(messageOf(refusal));
    socket.destroy(error);
  });
}

/** Whether a request lacks the host that HTTP/1.1 demands; it is answered if so. */
export function refuseWithoutHost(
  { headers, httpVersion }: IncomingMessage,
  response: ServerResponse,
): boolean {
  const isRefused = httpVersion === "1.1" && headers.host === undefined;
  if (isRefused) refuse(response, malformedRequest());
  return isRefused;
}

/**
 * Whether what is written next would be taken for the answer to what is refused: not for that to a request before it
 * which is still being carried out, and not for a part of one.
 */
function isFree(latest: ServerResponse | undefined): boolean {
  if (latest === undefined || latest.writableFinished) return true;
  const isNext = latest.socket !== null;
  return isNext && !latest.headersSent && !latest.req.complete;
}

function refuse(response: ServerResponse, error: ApiError): void {
  const [headers, body] = partsOf(error);
  response.writeHead(error.status, headers).end(body);
}

function messageOf(error: ApiError): string {
  const [headers, body] = partsOf(error);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ""}\r\n${lines.join("")}\r\n${body}`;
}

function partsOf(error: ApiError): [headers: Record<string, string>, body: string] {
  const requestId = randomUUID();
  const body = JSON.stringify(problemOf(error, requestId));
  const headers = {
    "X-Request-Id": requestId,
    ...securityHeaders,
    "Content-Type": "application/problem+json",
    "Content-Length": String(Buffer.byteLength(body)),
    Connection: "close",
  };
  return [headers, body];
}
