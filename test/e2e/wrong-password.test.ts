import { expect } from "chai";

import { Client } from "../support/client.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { SluiceProcess } from "../support/sluice-process.ts";
import { runCommand } from "../support/sluice-command.ts";
import { waitFor } from "../support/wait-for.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

interface Readiness {
  readonly checks: readonly { readonly name: string; readonly detail: string }[];
}

const ways = [
  {
    name: "is not that of REDIS_URL",
    login: ":secret@",
    detail: "refuses the user or password of REDIS_URL",
    code: "WRONGPASS",
  },
  {
    name: "is missing in REDIS_URL",
    login: "",
    detail: "wants a password, and REDIS_URL has none",
    code: "NOAUTH",
  },
] as const;

describe("Redis' password at the start", () => {
  let redis: PrivateEngine;
  let workspace: Workspace;
  let processes: SluiceProcess[];

  beforeEach(async () => {
    redis = await PrivateEngine.start("redis");
    workspace = await openWorkspace({ ...redis.env, FLUSH_CRON: "* * * * * *" });
    await workspace.redis.config("SET", "requirepass", "another");
    processes = [];
  });

  afterEach(async () => {
    await workspace.redis.config("SET", "requirepass", "");
    await Promise.all(processes.map((process) => process.end("SIGTERM")));
    await workspace.close();
    await redis.close();
  });

  for (const { name, login, detail, code } of ways) {
    it(`where it ${name}, is named and waited for, by the API as by a flusher`, async () => {
      const env = { ...workspace.env, REDIS_URL: `redis://${login}127.0.0.1:${redis.port}` };
      const [api, flusher] = [new SluiceProcess(["api"], env), new SluiceProcess(["flusher"], env)];
      processes.push(api, flusher);
      for (const { logged } of [api, flusher].map((one) => ({
        logged: one.logged("Redis cannot serve; it is waited for"),
      }))) {
        expect(await logged)
          .to.deep.include({ level: "warn" })
          .and.have.nested.property("err.code", code);
      }
      const client = new Client(String((await api.logged("listening"))["address"]));
      const { status, body } = await client.get<Readiness>("/readyz");
      expect([status, body.checks[0]?.detail]).to.deep.equal([503, detail]);
      const { lines } = await runCommand(["status"], env);
      expect(lines.join("\n")).to.contain(`redis ${detail}.`).and.not.contain("secret");

      await workspace.redis.config("SET", "requirepass", login === "" ? "" : "secret");
      await waitFor(async () => (await client.get("/readyz")).status === 200, { what: "/readyz" });
      const { token } = (await client.post<{ token: string }>("/applications", { name: "late" })).body;
      await waitFor(async () => (await client.post(`/applications/${token}/chats`, {})).status === 201, {
        what: "a chat",
      });
      await waitFor(async () => ((await workspace.sql("chats").select("number")) as unknown[]).length === 1, {
        what: "the chat in MySQL",
      });
      client.close();
      for (const { log, noise } of processes) {
        expect(JSON.stringify([log.filter(({ level }) => level === "error"), noise])).to.equal("[[],[]]");
      }
    });
  }
});
