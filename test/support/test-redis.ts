import { Redis } from "ioredis";

import { createSubscriber } from "../../src/buffer/clients.ts";
import { parseRedisAddress } from "../../src/redis-address.ts";

/**
 * A connection of a test's own that waits for Redis. On a cluster the commands that are about all keys, or
 * several, ask each master, or go key by key.
 */
export function connectToRedis(url: string): Redis {
  const client = createSubscriber(parseRedisAddress(url));
  void client.connect().catch(() => undefined);
  if (client instanceof Redis) return client;
  const masters = async () => {
    // Whatever command: none is answered before it is known who the masters are.
    await client.exists("any");
    return client.nodes("master");
  };
  const ofAll = {
    keys: async (pattern: string) =>
      (await Promise.all((await masters()).map((node) => node.keys(pattern)))).flat(),
    flushall: async () => {
      await Promise.all((await masters()).map((node) => node.flushall()));
      return "OK";
    },
    del: async (...keys: (string | string[])[]) => {
      const gone = keys.flat().map((key) => client.unlink(key));
      return (await Promise.all(gone)).reduce((sum, count) => sum + count, 0);
    },
  };
  return Object.assign(client, ofAll) as unknown as Redis;
}
