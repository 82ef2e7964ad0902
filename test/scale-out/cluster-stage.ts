import { expect } from "chai";

import { Keys } from "../../src/buffer/keys.ts";
import type { Client } from "../support/client.ts";
import { RedisCluster } from "../support/redis-cluster.ts";
import type { RedisNode } from "../support/redis-node.ts";
import { RunningSluice } from "../support/running-sluice.ts";
import { waitFor } from "../support/wait-for.ts";

/** As many as make it certain that each master serves some of them. */
export const partitions = 8;

/** A message that was answered 201. */
export interface Posted {
  readonly token: string;
  readonly number: number;
  readonly body: string;
  readonly answeredAtMs: number;
}

/** A Sluice on a Redis Cluster, with a chat in each partition. */
export class ClusterStage {
  readonly cluster: RedisCluster;
  readonly sluice: RunningSluice;
  readonly keys: Keys;
  /** Of each partition an application that lies there. */
  readonly tokens: readonly string[];

  private constructor(cluster: RedisCluster, sluice: RunningSluice, tokens: readonly string[]) {
    this.cluster = cluster;
    this.sluice = sluice;
    this.keys = new Keys(sluice.workspace.config.redis.namespace, partitions);
    this.tokens = tokens;
  }

  static async start(cluster: RedisCluster, settings: NodeJS.ProcessEnv = {}): Promise<ClusterStage> {
    const sluice = await RunningSluice.start({
      REDIS_URL: cluster.url,
      PARTITIONS: String(partitions),
      ...settings,
    });
    const keys = new Keys("any", partitions);
    const byPartition = new Map<number, string>();
    while (byPartition.size < partitions) {
      const { token } = (await sluice.client.post<{ token: string }>("/applications", { name: "one" })).body;
      byPartition.set(keys.partitionOf(token), token);
    }
    const tokens = [...byPartition.entries()].sort(([a], [b]) => a - b).map(([, token]) => token);
    for (const token of tokens) {
      expect((await sluice.client.post(`/applications/${token}/chats`)).status).to.equal(201);
    }
    return new ClusterStage(cluster, sluice, tokens);
  }

  /** Which partitions a node serves as their master. */
  async partitionsOf(master: RedisNode): Promise<number[]> {
    const all = Array.from({ length: partitions }, (_, partition) => partition);
    const masters = await Promise.all(all.map((p) => this.cluster.masterOf(this.keys.meta(p))));
    return all.filter((partition) => masters[partition] === master);
  }

  /** Posts a message to the first chat of an application; nothing where the answer is 503. */
  async post(token: string, body: string, client: Client = this.sluice.client): Promise<Posted | undefined> {
    const answer = await client.post<{ number: number }>(messagesOf(token), { body });
    expect(answer.status).to.be.oneOf([201, 503]);
    const { number } = answer.body;
    return answer.status === 201 ? { token, number, body, answeredAtMs: Date.now() } : undefined;
  }

  /** Posts until there was a 201. */
  async postUntilAccepted(token: string, body: string): Promise<Posted> {
    return waitFor(() => this.post(token, body), { what: `a 201 for ${body}` });
  }

  /** Places and texts of all messages in MySQL. */
  async stored(): Promise<Set<string>> {
    const rows: { application_token: string; number: number; body: string }[] = await this.sluice.workspace
      .sql("messages")
      .select("application_token", "number", "body");
    return new Set(
      rows.map(({ application_token: token, number, body }) => placeOf({ token, number, body })),
    );
  }

  /** Resolves when all of these are in MySQL. */
  async untilStored(messages: readonly Posted[]): Promise<void> {
    await waitFor(
      async () => {
        const stored = await this.stored();
        return messages.every((message) => stored.has(placeOf(message)));
      },
      { what: "the messages in MySQL" },
    );
  }
}

export function messagesOf(token: string): string {
  return `/applications/${token}/chats/1/messages`;
}

export function placeOf({ token, number, body }: Pick<Posted, "token" | "number" | "body">): string {
  return `${token} ${number} ${body}`;
}
