import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { expect } from "chai";

import { type SluiceProcess, startApi } from "../support/sluice-process.ts";
import { waitFor } from "../support/wait-for.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";
import { lackOfNginx, NginxStage } from "./nginx-stage.ts";

const json = { "content-type": "application/json" };

interface Problem {
  readonly status: number;
  readonly code: string;
}

describe("nginx as deploy/nginx has it", () => {
  let nginx: NginxStage | undefined;

  before(function () {
    if (lackOfNginx() !== undefined) this.skip();
  });
  afterEach(async () => {
    await nginx?.close();
    nginx = undefined;
  });

  it("takes the configuration", () => {
    expect(NginxStage.check()).to.include("syntax is ok").and.include("test is successful");
  });

  describe("in front of two processes of the API", () => {
    let workspace: Workspace;
    let apis: { process: SluiceProcess; url: string }[];

    async function start(settings: NodeJS.ProcessEnv = {}): Promise<string> {
      const env = { TRUSTED_PROXIES: "1", OPS_USERNAME: "operator", OPS_PASSWORD: "secret", ...settings };
      workspace = await openWorkspace(env);
      apis = await Promise.all([startApi(workspace.env), startApi(workspace.env)]);
      nginx = await NginxStage.open(apis.map(({ url }) => new URL(url).host));
      return nginx.url;
    }

    afterEach(async () => {
      await Promise.all(apis.map(({ process }) => process.end("SIGTERM")));
      await workspace.close();
    });

    const post = (url: string, body: object, headers: Record<string, string> = {}) =>
      fetch(url, { method: "POST", headers: { ...json, ...headers }, body: JSON.stringify(body) });

    it("passes requests and their ids on, keeps what it should, and what is too large is told as the API does", async () => {
      const url = await start();
      const created = await post(`${url}/applications`, { name: "a" }, { "x-request-id": "mine.1" });
      expect([created.status, created.headers.get("x-request-id")]).to.deep.equal([201, "mine.1"]);
      expect(created.headers.get("server")).to.equal("nginx");
      const { token } = (await created.json()) as { token: string };
      expect((await post(`${url}/applications/${token}/chats`, {})).status).to.equal(201);
      const messages = `${url}/applications/${token}/chats/1/messages`;
      const largest = await post(messages, { body: "\u0001".repeat(65_536) });
      expect(largest.status).to.equal(201);
      const answer = await post(messages, { body: "x".repeat(2_000_000) });
      expect([answer.status, answer.headers.get("content-type")]).to.deep.equal([
        413,
        "application/problem+json",
      ]);
      expect(await answer.json()).to.include({ status: 413, code: "body_too_large" });
      for (const path of ["/metrics", "/api/v1/metrics", "/METRICS/", "/%6detrics"]) {
        expect((await fetch(`${url}${path}`)).status, path).to.equal(404);
      }
    });

    it("tells the API who asks, so that nobody is limited for another or by what they say of themselves", async () => {
      const url = await start({ RATE_LIMIT_PER_MINUTE: "3" });
      const statuses: number[] = [];
      for (const claimed of ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"]) {
        const answer = await fetch(`${url}/applications`, { headers: { "x-forwarded-for": claimed } });
        statuses.push(answer.status);
      }
      expect(statuses).to.deep.equal([200, 200, 200, 429]);
      const blocked = await workspace.redis.keys(`${workspace.config.redis.namespace}:rate:*`);
      expect(blocked).to.deep.equal([`${workspace.config.redis.namespace}:rate:127.0.0.1`]);
    });

    it("sends the dashboard's events as they come, and its forms have the right origin", async () => {
      const url = await start();
      const authorization = `Basic ${Buffer.from("operator:secret").toString("base64")}`;
      const answer = await fetch(`${url}/ops/events`, { headers: { authorization } });
      expect(answer.headers.get("content-type")).to.include("text/event-stream");
      let text = "";
      for await (const chunk of answer.body ?? []) {
        text += Buffer.from(chunk as Uint8Array).toString();
        if (text.split("\n\ndata: ").length > 2) break;
      }
      const signedIn = await fetch(`${url}/ops/sign-in`, {
        method: "POST",
        redirect: "manual",
        headers: { origin: url },
        body: new URLSearchParams({ username: "operator", password: "secret", to: "/ops" }),
      });
      expect(signedIn.status).to.equal(303);
    });

    it("goes on with the other when one is killed, and says so when both are gone", async () => {
      const url = await start();
      const [first, second] = apis;
      await first?.process.end("SIGKILL");
      for (let call = 0; call < 20; call++) {
        expect((await post(`${url}/applications`, { name: "a" })).status).to.equal(201);
      }
      await second?.process.end("SIGKILL");
      const answer = await waitFor(
        async () => {
          const tried = await fetch(`${url}/applications`);
          return tried.status === 503 && tried;
        },
        { what: "a 503" },
      );
      expect(answer.headers.get("retry-after")).to.equal("1");
      expect(((await answer.json()) as Problem).code).to.equal("api_unavailable");
    });
  });

  describe("in front of servers that hang up", () => {
    const servers: Server[] = [];
    const seen: string[] = [];

    async function startRude(): Promise<string> {
      const server = createServer((request: IncomingMessage) => {
        seen.push(String(request.method));
        request.resume().on("end", () => request.socket.destroy());
      });
      servers.push(server.listen(0, "127.0.0.1"));
      await once(server, "listening");
      return `127.0.0.1:${(server.address() as AddressInfo).port}`;
    }

    afterEach(() => {
      for (const server of servers.splice(0)) server.close();
    });

    it("sends no POST or PATCH twice, and a GET once more", async () => {
      for (const [method, times] of [
        ["POST", 1],
        ["PATCH", 1],
        ["GET", 2],
      ] as const) {
        seen.length = 0;
        nginx = await NginxStage.open([await startRude(), await startRude()]);
        const body = method === "GET" ? {} : { body: "{}", headers: json };
        const answer = await fetch(`${nginx.url}/applications`, { method, ...body });
        expect([answer.status, seen], method).to.deep.equal([503, Array<string>(times).fill(method)]);
        await nginx.close();
        nginx = undefined;
      }
    });
  });
});
