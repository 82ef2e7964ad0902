import { once } from "node:events";

import { Cluster, type ClusterNode, type ClusterOptions, type Redis, type RedisOptions } from "ioredis";

/** Of a connection to one server; replies keep their usual form. */
export type NodeOptions = Omit<RedisOptions, "replyMapping">;

/** Between two looks at who serves which slots: while all goes well, and while calls fail. */
const refreshEveryMs = 2000;
const refreshOnFailureEveryMs = 100;

/**
 * A client of a Redis Cluster that sends nothing twice and lets nothing wait. ioredis' own would send again what
 * a lost connection leaves in doubt, and follow a slot to its new master at once: to one that may not have all
 * that the old one had, before anybody could look.
 */
export class ClusterClient extends Cluster {
  #isRefreshRecent = false;

  constructor(
    seeds: ClusterNode[],
    options: Omit<ClusterOptions, "redisOptions"> & { redisOptions: NodeOptions },
  ) {
    super(seeds, {
      slotsRefreshInterval: refreshEveryMs,
      slotsRefreshTimeout: 500,
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      // As they are: a name may be what a certificate is made out to.
      dnsLookup: (address, callback) => {
        callback(null, address);
      },
      lazyConnect: true,
      ...options,
    });
    this.on("error", () => undefined);
    // Not with the first command, which would have to wait; replicas too, as one may be the next master. Not
    // earlier than this either: the first command of a new client is its own, and may only wait by itself.
    this.on("ready", () => {
      this.#connectNodes();
    });
    this.on("+node", () => {
      if (this.status === "ready") this.#connectNodes();
    });
  }

  /** Of what a node refuses only a slot on its way is asked for elsewhere: its master has not changed. */
  override handleError(error: Error, ttl: { value?: unknown }, handlers: { defaults: () => void }): void {
    if (error.message.startsWith("ASK ")) super.handleError(error, ttl, handlers);
    else handlers.defaults();
  }

  /** Asks anew who serves what, since a call has failed. */
  refreshAfterFailure(): void {
    if (this.#isRefreshRecent || this.status !== "ready") return;
    this.#isRefreshRecent = true;
    this.refreshSlotsCache();
    setTimeout(() => (this.#isRefreshRecent = false), refreshOnFailureEveryMs).unref();
  }

  /** Resolves when every master that is known can be spoken to, or could not be connected to. */
  async connected(): Promise<void> {
    this.#connectNodes();
    const waiting = this.nodes("master").filter(({ status }) => status !== "ready" && status !== "end");
    await Promise.allSettled(waiting.map((node) => Promise.race([once(node, "ready"), once(node, "end")])));
  }

  #connectNodes(): void {
    for (const node of this.nodes()) {
      if (node.status === "wait") node.connect().catch(() => undefined);
    }
  }

  /** By slot, the address of its master. */
  get masterBySlot(): readonly string[] {
    return this.slots.map(([master = ""]) => master);
  }

  /** The masters of all slots. @throws where one is not connected, or a slot has none */
  get masters(): readonly Redis[] {
    const names = [...new Set(this.masterBySlot)];
    const nodes = new Map(this.nodes().map((node) => [nameOf(node), node]));
    const masters = names.map((name) => nodes.get(name)).filter((node) => node?.status === "ready");
    if (names.length === 0 || masters.length < names.length) throw new Error("a part of the cluster is away");
    return masters.filter((node) => node !== undefined);
  }

  /** The masters that serve. @throws where none does */
  async servingMasters(): Promise<readonly Redis[]> {
    const isServing = async (node: Redis) => (await node.cluster("INFO")).includes("cluster_state:ok");
    const nodes = this.nodes("master");
    const serve = await Promise.all(nodes.map((node) => isServing(node).catch(() => false)));
    const serving = nodes.filter((_, nth) => serve[nth]);
    if (serving.length === 0) throw new Error("the cluster is down");
    return serving;
  }
}

function nameOf({ options }: Redis): string {
  return `${options.host}:${options.port}`;
}
