import { keepingLines, nodePassword, RedisNode } from "../support/redis-node.ts";
import { waitFor } from "../support/wait-for.ts";

/** A master, first, and a replica that is linked to it; both keep what they are given. */
export async function startReplicated(): Promise<readonly [RedisNode, RedisNode]> {
  const lines = [`masterauth "${nodePassword}"`, ...keepingLines];
  const master = await RedisNode.start(() => ({ lines }));
  const replica = await RedisNode.start(() => ({ lines: [...lines, `replicaof 127.0.0.1 ${master.port}`] }));
  await waitFor(async () => (await replica.info("replication", "master_link_status")) === "up", {
    what: "the replica to be linked",
  });
  return [master, replica];
}

/** Sentinels of a majority that watch a master and its replica as `mymaster`, and know of each other. */
export async function startSentinels(master: RedisNode, count: number): Promise<readonly RedisNode[]> {
  const lines = [
    `sentinel monitor mymaster 127.0.0.1 ${master.port} ${Math.floor(count / 2) + 1}`,
    `sentinel auth-pass mymaster "${nodePassword}"`,
    "sentinel down-after-milliseconds mymaster 1500",
    "sentinel failover-timeout mymaster 5000",
  ];
  const start = () => RedisNode.start(() => ({ lines, isSentinel: true }));
  const sentinels = await Promise.all(Array.from({ length: count }, start));
  await waitFor(
    async () => {
      const known = await Promise.all(sentinels.map((one) => one.info("sentinel", "master0")));
      return known.every(
        (line) => line?.includes("status=ok") && line.includes(`slaves=1,sentinels=${count}`),
      );
    },
    { what: "sentinels that know each other" },
  );
  return sentinels;
}

/** `REDIS_URL` of the master that sentinels at these ports watch. */
export function sentinelAddress(ports: readonly number[], database = 0): string {
  const password = encodeURIComponent(nodePassword);
  const hosts = ports.map((port) => `127.0.0.1:${port}`).join(",");
  return `redis+sentinel://:${password}@${hosts}/${database}?name=mymaster&sentinelPassword=${password}`;
}
