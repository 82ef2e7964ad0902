import { Keys } from "../../src/buffer/keys.ts";
import type { Workspace } from "./workspace.ts";

const hourSeconds = 3600;

/** In one step, as its parent may give a number at any moment. */
const expireWithinTheHour = `
local seconds = redis.call('TTL', KEYS[1])
return seconds > 0 and seconds <= tonumber(ARGV[1]) and redis.call('DEL', KEYS[1]) or 0`;

/** As if nobody had asked for a parent in an hour: counters that rest leave Redis. Answers how many did. */
export async function letAnHourPass({ redis, config }: Workspace): Promise<number> {
  const { namespace, partitions } = config.redis;
  const keys = new Keys(namespace, partitions);
  const isCounter = (key: string) => keys.parse(key)?.name === "counter";
  const counters = (await redis.keys(`${keys.pattern()}:counter:*`)).filter(isCounter);
  const gone = counters.map((key) => redis.eval(expireWithinTheHour, 1, key, hourSeconds));
  return (await Promise.all(gone)).filter(Boolean).length;
}
