import { once } from "node:events";
import type { IncomingMessage, Server } from "node:http";
import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { createApp } from "../../src/http/app.ts";
import type { AppParts } from "../../src/http/app.ts";
import { createHttpServer } from "../../src/http/server.ts";
import type { Patience } from "../../src/http/server.ts";
import type { Changer, Idempotency, Page, PageRequest, Services } from "../../src/http/services.ts";
import { expectDocumented } from "./documented.ts";
import { Metrics, createLogger } from "../../src/telemetry.ts";
import { noFields } from "../../src/records/records.ts";

export const token = "app-token_1";
const createdAt = new Date("2026-01-02T03:04:05.678Z");
export const messageMaxBytes = 1000;

export const application = { token, name: "Shop", chatsCount: 3, createdAt, updatedAt: createdAt };
/** A key under which the stand-ins say that their answer is an earlier one. */
export const replayedKey = "seen before";
const message = { body: "hi", fields: noFields, createdAt, updatedAt: createdAt };
const chat = { title: null, fields: noFields, messagesCount: 0, createdAt, updatedAt: createdAt };

/** What reached the services, so that a test can tell that nothing did. */
export interface Recorded {
  readonly names: string[];
  readonly titles: (string | null)[];
  readonly bodies: string[];
  readonly pages: PageRequest[];
  /** Every other call, by its name, with what it was given. */
  readonly changes: [string, ...unknown[]][];
  /** What each POST was told of idempotency. */
  readonly idempotency: (Idempotency | undefined)[];
}

const nothingRecorded = (): Recorded => ({
  names: [],
  titles: [],
  bodies: [],
  pages: [],
  changes: [],
  idempotency: [],
});

function pageOf<T>(recorded: Recorded, request: PageRequest, items: T[]): Promise<Page<T>> {
  recorded.pages.push(request);
  return Promise.resolve({ items, hasNext: true });
}

/** The services as the routes see them, answering at once and remembering what they were asked. */
function standIn(recorded: Recorded, metrics: Metrics): Services {
  const accept = (number: number, idempotency?: Idempotency) => {
    recorded.idempotency.push(idempotency);
    return Promise.resolve({ number, createdAt, isReplayed: idempotency?.key === replayedKey });
  };
  return {
    accept: {
      chat: (_token, { text }, idempotency) => accept(recorded.titles.push(text), idempotency),
      message: (_token, _chat, { text }, idempotency) =>
        accept(recorded.bodies.push(text ?? ""), idempotency),
    },
    read: {
      applications: (page) => pageOf(recorded, page, [application]),
      application: () => Promise.resolve(application),
      chats: (_token, page) => pageOf(recorded, page, [{ ...chat, number: 7 }]),
      chat: (_token, number) => Promise.resolve({ ...chat, number }),
      messages: (_token, _chat, page) => pageOf(recorded, page, [{ ...message, number: 7 }]),
      message: (_token, _chat, number) => Promise.resolve({ ...message, number }),
    },
    change: standInChanges(recorded),
    search: {
      messages: (...call) => {
        recorded.changes.push(["search", ...call]);
        const items = [{ ...message, number: 7 }];
        return Promise.resolve({ items, hasNext: true, engine: "mysql", degraded: false });
      },
    },
    readiness: () => Promise.resolve([{ name: "redis", ready: true, detail: "answers" }]),
    metrics: () => metrics.text(),
  };
}

function standInChanges(recorded: Recorded): Changer {
  const record = <T>(answer: T, ...call: [string, ...unknown[]]) => {
    recorded.changes.push(call);
    return Promise.resolve(answer);
  };
  return {
    createApplication(name, idempotency) {
      recorded.names.push(name);
      recorded.idempotency.push(idempotency);
      const isReplayed = idempotency?.key === replayedKey;
      return Promise.resolve({ application: { ...application, name }, isReplayed });
    },
    updateApplication: (...call) => record({ ...application, name: call[1] }, "updateApplication", ...call),
    deleteApplication: (...call) => record(undefined, "deleteApplication", ...call),
    updateChat: (...call) =>
      record(
        { ...chat, number: call[1], title: call[2].text ?? null },
        "updateChat",
        call[0],
        call[1],
        call[2].text,
      ),
    deleteChat: (...call) => record(undefined, "deleteChat", ...call),
    updateMessage: (...call) =>
      record(
        { ...message, number: call[2], body: call[3].text ?? "" },
        "updateMessage",
        ...call.slice(0, 3),
        call[3].text,
      ),
    deleteMessage: (...call) => record(undefined, "deleteMessage", ...call),
  };
}

/** One line of the log, parsed. */
export type LogLine = Record<string, unknown> & { level: string; msg: string };

/** A running API over stand-in services. */
export interface Shell {
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  readonly recorded: Recorded;
  readonly log: LogLine[];
  close(): Promise<void>;
}

/** Some of the services, or of what one of them can do. */
export type Parts = Partial<Omit<Services, "accept" | "read" | "change">> & {
  readonly [Part in "accept" | "read" | "change"]?: Partial<Services[Part]>;
};

export interface ShellOptions {
  /** In place of the stand-ins, which stay for what is not here. */
  readonly services?: Parts;
  readonly rateLimit?: AppParts["rateLimit"];
  readonly trustedProxies?: number;
  readonly patience?: Patience;
}

function withParts(services: Services, parts: Parts = {}): Services {
  return {
    ...services,
    ...parts,
    accept: { ...services.accept, ...parts.accept },
    read: { ...services.read, ...parts.read },
    change: { ...services.change, ...parts.change },
  };
}

/** Starts the API on a free loopback port. */
export async function startShell(options: ShellOptions = {}): Promise<Shell> {
  const recorded = nothingRecorded();
  const log: LogLine[] = [];
  const destination = { write: (line: string) => log.push(JSON.parse(line) as LogLine) };
  const metrics = new Metrics();
  const app = createApp({
    services: withParts(standIn(recorded, metrics), options.services),
    config: { http: { trustedProxies: options.trustedProxies ?? 0, messageMaxBytes } },
    logger: createLogger({ level: "debug", destination }),
    metrics,
    ...(options.rateLimit && { rateLimit: options.rateLimit }),
  });
  const server = createHttpServer(app, options.patience).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return { url: `http://127.0.0.1:${port}`, port, server, recorded, log, close };
}

export type Json = Record<string, unknown>;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Json;
}

/**
 * Sends a request and reads its whole answer; `json` is empty where the answer is no JSON object. Throws
 * where the answer is not one that the API's description has.
 */
export async function send(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  const { status, headers } = response;
  expectDocumented({ method: init.method ?? "GET", path: new URL(url).pathname, status, headers, text });
  const isJson = (response.headers.get("content-type") ?? "").includes("json");
  const json = isJson && text !== "" ? (JSON.parse(text) as Json) : {};
  return { status: response.status, headers: response.headers, text, json };
}

const sendJson =
  (method: string) =>
  (url: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    send(url, { method, body, headers: { "content-type": "application/json", ...headers } });

/** Sends a text or bytes as JSON, or what stands for JSON. */
export const post = sendJson("POST");
export const put = sendJson("PUT");
export const patch = sendJson("PATCH");

/** Writes bytes to a fresh connection and answers all that comes back until the other end closes it. */
export async function exchange(port: number, bytes: string | Buffer): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let reply = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => (reply += chunk));
  socket.write(bytes);
  await once(socket, "close");
  expectDocumentedReply(String(bytes), reply);
  return reply;
}

/** Looks at a single answer of the API. */
function expectDocumentedReply(bytes: string, reply: string): void {
  if (reply === "" || reply.lastIndexOf("HTTP/1.1 ") > 0) return;
  const [method = "", path = ""] = bytes.split(" ", 2);
  const [head = "", text = ""] = reply.split("\r\n\r\n", 2);
  const [statusLine = "", ...lines] = head.split("\r\n");
  const headers = new Headers(lines.map((line) => line.split(/: (.*)/, 2) as [string, string]));
  expectDocumented({ method, path, status: Number(statusLine.split(" ")[1]), headers, text });
}

/** A GET that carries a body, which fetch will not send. */
export async function getWithBody(port: number, path: string, body: string): Promise<number> {
  const outgoing = request({ port, path, method: "GET", headers: { "content-length": body.length } });
  outgoing.end(body);
  const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of incoming.setEncoding("utf8")) text += String(chunk);
  const headers = new Headers(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
  const status = incoming.statusCode ?? 0;
  expectDocumented({ method: "GET", path, status, headers, text });
  return status;
}

/** Resolves once `isTrue` holds; looked at each turn of the event loop, with mocha's timeout as the end. */
export async function eventually(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}
