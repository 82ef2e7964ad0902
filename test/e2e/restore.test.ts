import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect } from "chai";

import { Client } from "../support/client.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { runCommand } from "../support/sluice-command.ts";
import { type SluiceProcess, startApi, startFlusher } from "../support/sluice-process.ts";
import { waitFor } from "../support/wait-for.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

interface Posted {
  readonly chat: number;
  readonly number: number;
  readonly body: string;
}

const chats = 3;
const placeOf = ({ chat, number }: { chat: number; number: number }) => `${chat}/${number}`;

describe("A restored backup", function () {
  let redis: PrivateEngine;
  let workspace: Workspace;
  let directory: string;
  let api: { process: SluiceProcess; url: string } | undefined;
  let flusher: SluiceProcess | undefined;
  let client: Client;
  let token: string;

  before(async () => {
    directory = mkdtempSync(path.join(tmpdir(), "sluice-backups-"));
    redis = await PrivateEngine.start("redis", ["--repl-diskless-sync-delay", "0"]);
    await redis.stop();
    redis.saveData();
    await redis.start();
    workspace = await openWorkspace({
      ...redis.env,
      BACKUP_DIR: directory,
      NUMBER_GAP_AFTER_LOSS: "500",
      FLUSH_MAX_ROWS: "10",
      MESSAGE_QUEUE_THRESHOLD: "30",
      // So that it is the threshold alone that decides what is flushed.
      FLUSH_CRON: "0 0 1 1 *",
    });
  });

  after(async () => {
    client.close();
    await stopAll();
    await workspace.close();
    await redis.close();
    rmSync(directory, { recursive: true });
  });

  async function startAll(): Promise<void> {
    [api, flusher] = await Promise.all([startApi(workspace.env), startFlusher(workspace.env)]);
    client = new Client(api.url);
  }

  async function stopAll(): Promise<void> {
    await api?.process.end("SIGTERM");
    await flusher?.end("SIGTERM");
  }

  async function post(count: number, prefix: string): Promise<Posted[]> {
    return Promise.all(
      Array.from({ length: count }, async (_, at) => {
        const [chat, body] = [(at % chats) + 1, `${prefix} ${at}`];
        const url = `/applications/${token}/chats/${chat}/messages`;
        const answer = await client.post<{ number: number }>(url, { body });
        expect(answer.status).to.equal(201);
        return { chat, number: answer.body.number, body };
      }),
    );
  }

  async function stored(): Promise<Posted[]> {
    const rows: { chat_number: number; number: number; body: string }[] = await workspace
      .sql("messages")
      .select("chat_number", "number", "body");
    return rows.map(({ chat_number: chat, number, body }) => ({ chat, number, body }));
  }

  /** Waits until the flusher has left so many pending; it is then done with them in both stores. */
  async function untilPending(left: number): Promise<void> {
    const list = `${workspace.config.redis.namespace}:{0}:messages`;
    await waitFor(async () => (await workspace.redis.llen(list)) === left, {
      what: `${left} pending messages`,
    });
  }

  const flush = async () => {
    await workspace.redis.publish(`${workspace.config.redis.namespace}:{0}:wake`, "manual");
    await untilPending(0);
  };

  it("has all it should after the loss of Redis, nothing twice, and no number given again", async () => {
    await startAll();
    token = (await client.post<{ token: string }>("/applications", { name: "restore" })).body.token;
    for (let chat = 1; chat <= chats; chat += 1) await client.post(`/applications/${token}/chats`);
    const early = await post(60, "flushed before the backup");
    await flush();
    await flusher?.end("SIGTERM");

    const inBackup = await post(60, "pending in the backup");
    const backup = await runCommand(["backup"], workspace.env);
    expect(backup.lines.join("\n")).to.match(/^backup: wrote dump_[\d-]+_[\d-]+\.rdb, /);
    const later = await post(10, "after the backup");
    // Woken at its start, it goes below the threshold and no further.
    flusher = await startFlusher(workspace.env);
    await untilPending(20);
    await flusher.end("SIGTERM");
    const unflushed = await post(5, "never flushed");
    expect((await stored()).length).to.equal(60 + 50);

    const refused = await runCommand(["restore", "--latest"], workspace.env);
    expect(refused.code).to.equal(1);
    expect(refused.lines.join("\n")).to.match(/these run: api \(process \d+ on /);
    await api?.process.end("SIGTERM");
    const unsaved = await runCommand(["restore", "--latest"], workspace.env);
    expect(unsaved.lines.join("\n")).to.match(/Redis holds 25 records that are not flushed/);

    await redis.stop("SIGKILL");
    redis.putDataBack();
    await redis.start();
    const restored = await runCommand(["restore", "--latest"], workspace.env);
    expect(restored.code, restored.lines.join("\n")).to.equal(0);
    expect(restored.lines.join("\n")).to.match(
      /60 records and changes wait for their flush again; 5 batches/,
    );
    expect(restored.lines.join("\n")).to.match(/10 records were accepted between .* at most 10 are gone/);

    await startAll();
    const after = await post(60, "after the restore");
    await flush();
    const expected = [...early, ...inBackup, ...after].map((one) => `${placeOf(one)} ${one.body}`);
    const landed = (await stored()).map((one) => `${placeOf(one)} ${one.body}`);
    expect(landed.sort()).to.deep.equal(expected.sort());

    const given = [...early, ...inBackup, ...later, ...unflushed, ...after].map(placeOf);
    expect(new Set(given).size).to.equal(given.length);
    const { body } = await client.get<string>("/metrics");
    expect(body).to.include("\nsluice_number_conflicts_total 0\n");
  });
});
