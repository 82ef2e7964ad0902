import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect } from "chai";

import { freePort } from "../../embedded/ports.mjs";
import { Client } from "../support/client.ts";
import { keepingLines, nodePassword, RedisNode } from "../support/redis-node.ts";
import { RunningSluice } from "../support/running-sluice.ts";
import { runCommand } from "../support/sluice-command.ts";
import { SluiceProcess } from "../support/sluice-process.ts";
import { waitFor } from "../support/wait-for.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";
import { Certificates } from "./certificates.ts";
import { sentinelAddress, startReplicated, startSentinels } from "./sentinels.ts";

const password = encodeURIComponent(nodePassword);

/** Makes an application with a chat; answers where its messages are. */
async function makeChat(client: Client): Promise<string> {
  const { token } = (await client.post<{ token: string }>("/applications", { name: "one" })).body;
  const chat = await client.post<{ number: number }>(`/applications/${token}/chats`);
  expect(chat.status).to.equal(201);
  return `/applications/${token}/chats/${chat.body.number}/messages`;
}

async function post(client: Client, messages: string, body: string): Promise<number> {
  const answered = await waitFor(
    async () => {
      const answer = await client.post<{ number: number }>(messages, { body });
      expect(answer.status).to.be.oneOf([201, 503]);
      return answer.status === 201 && answer.body;
    },
    // Sentinels that are held up mistrust their clocks and wait for half a minute.
    { what: `a 201 for ${body}`, timeoutMs: 150_000 },
  );
  return answered.number;
}

async function untilStored({ sql }: Workspace, numbers: readonly number[]): Promise<void> {
  await waitFor(
    async () => {
      const rows: { number: number }[] = await sql("messages").select("number");
      return numbers.every((wanted) => rows.some(({ number }) => number === wanted));
    },
    { what: "the messages in MySQL" },
  );
}

async function expectBackup(env: NodeJS.ProcessEnv): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), "sluice-backups-"));
  const { code, lines } = await runCommand(["backup"], { ...env, BACKUP_DIR: directory });
  expect(code, lines.join("\n")).to.equal(0);
  expect(readdirSync(directory).length).to.equal(2);
  rmSync(directory, { recursive: true });
}

describe("With sentinels that watch a master and its replica", function () {
  this.timeout(300_000);

  let nodes: readonly [RedisNode, RedisNode];
  let sentinels: readonly RedisNode[];
  let sluice: RunningSluice;

  before(async () => {
    nodes = await startReplicated();
    sentinels = await startSentinels(nodes[0], 3);
    sluice = await RunningSluice.start({
      REDIS_URL: sentinelAddress(
        sentinels.map(({ port }) => port),
        1,
      ),
      PARTITIONS: "2",
    });
  });

  after(async () => {
    await sluice.stop();
    await Promise.all([...nodes, ...sentinels].map((node) => node.close()));
  });

  it("follows to the replica when the master is killed, and gives no number again", async () => {
    const { client, workspace } = sluice;
    const [master, replica] = nodes;
    const messages = await makeChat(client);
    const before = [await post(client, messages, "one"), await post(client, messages, "two")];
    await untilStored(workspace, before);
    await expectBackup(workspace.env);
    await master.kill();
    const after = [await post(client, messages, "three"), await post(client, messages, "four")];
    expect(Math.min(...after)).to.be.above(Math.max(...before));
    await untilStored(workspace, [...before, ...after]);
    expect(await replica.info("replication", "role")).to.equal("master");
    expect(await sluice.metric("sluice_number_conflicts_total")).to.equal(0);
    await expectBackup(workspace.env);
  });
});

describe("With TLS, and an authority that only NODE_EXTRA_CA_CERTS names", function () {
  let certificates: Certificates;
  let workspace: Workspace;
  let node: RedisNode | undefined;
  // Nothing is there where the tests are skipped.
  let removeAll = () => Promise.resolve();

  before(async function () {
    const made = Certificates.make();
    if (!made) this.skip();
    certificates = made;
    workspace = await openWorkspace({ FLUSH_CRON: "* * * * * *" });
    removeAll = async () => {
      await workspace.close();
      certificates.remove();
    };
  });

  after(() => removeAll());

  const secure = (port: number) => [
    "port 0",
    `tls-port ${port}`,
    `tls-cert-file ${certificates.certificate}`,
    `tls-key-file ${certificates.key}`,
    `tls-ca-cert-file ${certificates.authority}`,
    "tls-auth-clients no",
    ...keepingLines,
  ];

  async function expectService(url: string): Promise<void> {
    const untrusting = { ...workspace.env, REDIS_URL: url, PARTITIONS: "2" };
    const env = { ...untrusting, NODE_EXTRA_CA_CERTS: certificates.authority };
    expect((await runCommand(["status"], untrusting)).code).to.equal(1);
    const api = new SluiceProcess(["api"], env);
    const flusher = new SluiceProcess(["flusher"], env);
    try {
      const client = new Client(String((await api.logged("listening"))["address"]));
      const messages = await makeChat(client);
      await untilStored(workspace, [await post(client, messages, "secret")]);
      await expectBackup(env);
      client.close();
    } finally {
      await Promise.all([api.end("SIGTERM"), flusher.end("SIGTERM")]);
    }
  }

  /** Starts a node for a test, which is closed after it. */
  async function startNode(lines: readonly string[] = []): Promise<RedisNode> {
    node = await RedisNode.start((port) => ({
      lines: [...secure(port), ...lines],
      client: certificates.client,
    }));
    return node;
  }

  afterEach(async () => {
    await node?.close();
  });

  it("works on one Redis, backups included", async () => {
    const { port } = await startNode();
    await expectService(`rediss://:${password}@localhost:${port}`);
  });

  it("works on a cluster", async () => {
    const bus = `cluster-port ${await freePort()}`;
    const { port, client } = await startNode([
      "cluster-enabled yes",
      bus,
      "tls-cluster yes",
      // A node that has met no other does not know its own.
      "cluster-announce-ip 127.0.0.1",
    ]);
    await client.cluster("ADDSLOTSRANGE", 0, 16_383);
    await waitFor(async () => (await client.cluster("INFO")).includes("cluster_state:ok"), {
      what: "the cluster",
    });
    const address = `rediss://:${password}@localhost:${port}`;
    await expectService(`${address},${address}`);
  });
});
