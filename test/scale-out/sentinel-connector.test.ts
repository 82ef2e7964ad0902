import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";

import type { Redis } from "ioredis";

import { createClient } from "../../src/buffer/clients.ts";
import { parseRedisAddress } from "../../src/redis-address.ts";
import { FaultProxy } from "../support/fault-proxy.ts";
import type { RedisNode } from "../support/redis-node.ts";
import { waitFor } from "../support/wait-for.ts";
import { sentinelAddress, startReplicated, startSentinels } from "./sentinels.ts";

describe("A client of sentinels", () => {
  let nodes: readonly [RedisNode, RedisNode];
  let sentinels: readonly RedisNode[];
  let proxy: FaultProxy;
  let silence: Server;
  let client: Redis;

  const sentinelPort = () => sentinels[0]?.port ?? 0;

  before(async () => {
    nodes = await startReplicated();
    sentinels = await startSentinels(nodes[0], 1);
    proxy = await FaultProxy.to(sentinelPort());
    silence = createServer((socket) => socket.resume()).listen(0, "127.0.0.1");
    await once(silence, "listening");
    client = createClient(parseRedisAddress(sentinelAddress([proxy.port])), "requests") as Redis;
    await client.connect();
  });

  after(async () => {
    client.disconnect();
    await proxy.close();
    silence.close();
    await Promise.all([...nodes, ...sentinels].map((node) => node.close()));
  });

  it("finds the new master also where it hears of the failover while it asks who that is", async () => {
    const clients = async () => String(await sentinels[0]?.client.client("LIST"));
    await waitFor(async () => (await clients()).includes(" sub=1 "), {
      what: "the client to listen for failovers",
    });
    proxy.retarget((silence.address() as AddressInfo).port);
    await nodes[0].kill();
    const failoverIsOver = async () => {
      const master = await sentinels[0]?.info("sentinel", "master0");
      return master?.includes(`127.0.0.1:${nodes[1].port}`);
    };
    await waitFor(failoverIsOver, { what: "the failover" });
    proxy.retarget(sentinelPort());
    await waitFor(() => client.set("kept", "1"), { what: "the new master to be found" });
  });
});
