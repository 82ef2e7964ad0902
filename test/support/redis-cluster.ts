import { freePort } from "../../embedded/ports.mjs";
import { keepingLines, nodePassword, RedisNode } from "./redis-node.ts";
import { waitFor } from "./wait-for.ts";

const masterCount = 3;
const slotCount = 16_384;

export interface ClusterSettings {
  /** As Redis has it: how soon a killed process' log is on disk. */
  readonly appendfsync?: "always" | "everysec";
  /** Whether a replica takes over from a master that is away; else all wait until it is back. */
  readonly hasFailover?: boolean;
}

/** A Redis Cluster: three masters with a replica each, all processes of their own. */
export class RedisCluster {
  readonly nodes: readonly RedisNode[];

  private constructor(nodes: readonly RedisNode[]) {
    this.nodes = nodes;
  }

  /** Resolves when all slots are served and each replica has what its master has. */
  static async start(settings: ClusterSettings = {}): Promise<RedisCluster> {
    const { appendfsync = "everysec", hasFailover = true } = settings;
    const start = async () => {
      const busPort = await freePort();
      const lines = [
        `masterauth "${nodePassword}"`,
        ...keepingLines,
        "cluster-enabled yes",
        `cluster-port ${busPort}`,
        "cluster-node-timeout 2000",
        `cluster-replica-no-failover ${hasFailover ? "no" : "yes"}`,
        // A replica may take over however long its link was down: a test says what it had received.
        "cluster-replica-validity-factor 0",
        "cluster-require-full-coverage no",
        `appendfsync ${appendfsync}`,
        "maxmemory-policy noeviction",
      ];
      return { node: await RedisNode.start(() => ({ lines })), busPort };
    };
    const started = await Promise.all(Array.from({ length: 2 * masterCount }, start));
    const cluster = new RedisCluster(started.map(({ node }) => node));
    await cluster.#join(started.map(({ busPort }) => busPort));
    return cluster;
  }

  /** What `REDIS_URL` is for it. */
  get url(): string {
    return this.nodes
      .slice(0, masterCount)
      .map(({ port }) => `redis://:${encodeURIComponent(nodePassword)}@127.0.0.1:${port}`)
      .join(",");
  }

  /** The running node that serves a key as its master. */
  async masterOf(key: string): Promise<RedisNode> {
    return waitFor(
      async () => {
        const [first] = this.nodes.filter(({ isRunning }) => isRunning);
        const slot = await first?.client.cluster("KEYSLOT", key);
        const port = (await this.#slots()).find(
          ([from, to]) => from <= Number(slot) && Number(slot) <= to,
        )?.[2];
        return this.nodes.find((node) => node.isRunning && node.port === port);
      },
      { what: `a master of ${key}` },
    );
  }

  /** The running nodes that serve slots. */
  async masters(): Promise<readonly RedisNode[]> {
    const ports = (await this.#slots()).map(([, , port]) => port);
    return this.nodes.filter(({ isRunning, port }) => isRunning && ports.includes(port));
  }

  /** The replica of a master. */
  async replicaOf(master: RedisNode): Promise<RedisNode> {
    for (const node of this.nodes.filter(({ isRunning }) => isRunning)) {
      if ((await node.info("replication", "master_port")) === String(master.port)) return node;
    }
    throw new Error("the master has no replica");
  }

  /** Resolves when every slot is served, as all running nodes see it, and each replica has what its master has. */
  async untilHealthy(): Promise<void> {
    const isHealthy = async (node: RedisNode) => {
      const state = await node.client.cluster("INFO");
      if (!state.includes("cluster_state:ok") || !state.includes(`cluster_slots_ok:${slotCount}`))
        return false;
      if ((await node.info("replication", "role")) !== "slave") return true;
      return (await node.info("replication", "master_link_status")) === "up";
    };
    await waitFor(
      async () => {
        const running = this.nodes.filter(({ isRunning }) => isRunning);
        return (await Promise.all(running.map(isHealthy))).every(Boolean);
      },
      { what: "a healthy cluster", timeoutMs: 120_000 },
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.close()));
  }

  async #join(busPorts: readonly number[]): Promise<void> {
    const [first] = this.nodes;
    if (!first) throw new Error("a cluster has nodes");
    for (const [nth, node] of this.nodes.entries()) {
      await node.client.cluster("SET-CONFIG-EPOCH", nth + 1);
      await first.client.call("CLUSTER", "MEET", "127.0.0.1", node.port, busPorts[nth] ?? 0);
    }
    const known = `cluster_known_nodes:${this.nodes.length}\r`;
    const isMet = async (node: RedisNode) => (await node.client.cluster("INFO")).includes(known);
    await waitFor(async () => (await Promise.all(this.nodes.map(isMet))).every(Boolean), {
      what: "nodes that know each other",
    });
    const share = Math.ceil(slotCount / masterCount);
    for (const [nth, master] of this.nodes.slice(0, masterCount).entries()) {
      const last = Math.min((nth + 1) * share, slotCount) - 1;
      await master.client.cluster("ADDSLOTSRANGE", nth * share, last);
      await this.nodes[masterCount + nth]?.client.cluster("REPLICATE", await master.client.cluster("MYID"));
    }
    await this.untilHealthy();
  }

  /** First and last slot, and the port of the master, as a running node sees it. */
  async #slots(): Promise<[from: number, to: number, port: number][]> {
    const [first] = this.nodes.filter(({ isRunning }) => isRunning);
    const slots = (await first?.client.cluster("SLOTS")) ?? [];
    return slots.map(([from, to, master]) => [from, to, master?.[1] ?? 0]);
  }
}
