import { once } from "node:events";
import { type IncomingHttpHeaders, type IncomingMessage, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import type { Buffer } from "../../src/buffer/buffer.ts";
import { Keys } from "../../src/buffer/keys.ts";
import { createServices } from "../../src/commands/api.ts";
import { openConfiguredBuffer } from "../../src/commands/parts.ts";
import type { FindingKind } from "../../src/buffer/invariants/finding.ts";
import { loadConfig } from "../../src/config.ts";
import { createApp } from "../../src/http/app.ts";
import { createHttpServer } from "../../src/http/server.ts";
import { createOps, type Ops } from "../../src/ops/ops.ts";
import { checkReadiness } from "../../src/ops/readiness.ts";
import { openSearch } from "../../src/search/open-search.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { createLogger, Metrics } from "../../src/telemetry.ts";
import { encodeRecord } from "../../src/records/payload.ts";
import { newRecord } from "../../src/records/records.ts";
import { operationIdOf } from "../support/requests.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

export const credentials = { OPS_USERNAME: "operator", OPS_PASSWORD: "right horse" };
export const basic = `Basic ${globalThis.Buffer.from("operator:right horse").toString("base64")}`;

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

type Headers = Record<string, string>;

/** Much of what the dashboard is to show is put into Redis by hand, and not whole. */
const putThereByHand: readonly FindingKind[] = [
  "counter-bytes",
  "partition-bytes",
  "parent-missing",
  "dangling",
  "stray",
  "two-homes",
  "letter-without-record",
  "letter-without-reason",
  "owed-total",
  "owed-unlisted",
  "owed-nothing",
];

/** The dashboard on real engines, over HTTP, in this process. */
export class OpsStage {
  readonly workspace: Workspace;
  readonly buffer: Buffer;
  readonly store: Store;
  readonly ops: Ops;
  readonly server: Server;
  readonly keys: Keys;
  readonly port: number;
  #serial = 0;

  private constructor(workspace: Workspace, buffer: Buffer, store: Store, ops: Ops, server: Server) {
    this.workspace = workspace;
    this.buffer = buffer;
    this.store = store;
    this.ops = ops;
    this.server = server;
    this.keys = new Keys(workspace.config.redis.namespace, workspace.config.redis.partitions);
    this.port = (server.address() as AddressInfo).port;
  }

  /** Starts it in a corner of its own, or, with the same data, beside another. */
  static async open(settings: NodeJS.ProcessEnv = {}, beside?: OpsStage): Promise<OpsStage> {
    const workspace = beside?.workspace ?? (await openWorkspace(settings));
    workspace.expectFindings(...putThereByHand);
    const config = loadConfig({ ...workspace.env, ...settings });
    const buffer = await openConfiguredBuffer(config, "requests");
    const store = openStore(config.database, "requests");
    const logger = createLogger({ level: "silent" });
    const metrics = new Metrics();
    const search = openSearch(
      { elasticsearchUrl: undefined, namespace: config.redis.namespace },
      store.searching,
      logger,
    );
    const check = () => checkReadiness(buffer, store, false);
    const ops = createOps({ buffer, config, logger, check });
    const services = createServices({ buffer, store, search, check }, () => metrics.text(), logger);
    const app = createApp({ services, config, logger, metrics, ops: ops.middleware });
    const server = createHttpServer(app).listen(0, settings["HOST"] ?? "127.0.0.1");
    await once(server, "listening");
    return new OpsStage(workspace, buffer, store, ops, server);
  }

  /** Stops it, and removes its data unless another stands on them. */
  async close({ keepData = false } = {}): Promise<void> {
    this.ops.close();
    this.server.closeAllConnections();
    this.server.close();
    this.buffer.close();
    await this.store.close();
    if (!keepData) await this.workspace.close();
  }

  /** Sends a request as it is given, also with headers that no browser would let a page set. */
  async send(
    method: string,
    path: string,
    headers: Headers = {},
    body = "",
    host = "127.0.0.1",
  ): Promise<Reply> {
    const outgoing = request({ host, port: this.port, method, path, headers, agent: false });
    outgoing.end(body);
    const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
    let text = "";
    for await (const chunk of incoming.setEncoding("utf8")) text += String(chunk);
    return { status: incoming.statusCode ?? 0, headers: incoming.headers, text };
  }

  get(path: string, headers: Headers = {}): Promise<Reply> {
    return this.send("GET", path, { accept: "text/html", ...headers });
  }

  /** Sends a form as a page of this server does, unless headers say otherwise. */
  post(path: string, fields: [string, string][] | Headers, headers: Headers = {}): Promise<Reply> {
    const form = new URLSearchParams(fields).toString();
    const type = { "content-type": "application/x-www-form-urlencoded", accept: "text/html" };
    return this.send("POST", path, { ...type, "sec-fetch-site": "same-origin", ...headers }, form);
  }

  /** Sends a form with the credentials, as a program does that is no browser. */
  act(path: string, fields: [string, string][] | Headers): Promise<Reply> {
    const form = new URLSearchParams(fields).toString();
    const headers = { "content-type": "application/x-www-form-urlencoded", authorization: basic };
    return this.send("POST", path, headers, form);
  }

  /** Signs in; answers the cookie. */
  async signIn(fields: Headers = { username: "operator", password: "right horse" }): Promise<string> {
    const { headers } = await this.post("/ops/sign-in", { to: "/ops", ...fields });
    return String(headers["set-cookie"]?.[0]).split(";", 1)[0] ?? "";
  }

  /** The proof that the forms of a page carry. */
  async formToken(headers: Headers): Promise<string> {
    const { text } = await this.get("/ops/partitions", headers);
    return /name="form" value="([^"]+)"/.exec(text)?.[1] ?? "";
  }

  /** Puts a dead letter there as an ack does; answers its id. */
  async bury(token: string, text: string, reason = "ER_TRUNCATED_WRONG_VALUE"): Promise<string> {
    this.#serial += 1;
    const chat = { token, chatNumber: 1 };
    const number = this.#serial;
    const partition = this.keys.partitionOf(token);
    const payload = encodeRecord(newRecord(operationIdOf(number), Date.now(), text));
    const id = `${token}:1:${number}:d`;
    const { redis } = this.workspace;
    await redis.hset(this.keys.dead(chat), String(number), payload);
    await redis.zadd(this.keys.deadLetters(partition), Date.now(), id);
    await redis.hset(this.keys.deadReasons(partition), id, reason);
    return id;
  }

  /** What the audit trail has, an act a line. */
  async audit(): Promise<string[]> {
    const { entries } = await this.buffer.audit.read(0, 100);
    return entries.map(({ who, act, outcome }) => `${who}: ${act}: ${outcome}`);
  }
}

/** The texts that a page shows under the names of its live numbers. */
export function liveTexts(page: string): Map<string, string> {
  const found = page.matchAll(/data-live="([^"]+)"[^>]*>([^<]*)</g);
  return new Map([...found].map(([, name = "", text = ""]) => [name, text.trim()]));
}
