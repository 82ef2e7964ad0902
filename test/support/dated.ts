import type { Redis } from "ioredis";

import { decodeRecord, encodeRecord } from "../../src/records/payload.ts";

/** Gives a record that Redis keeps another time: one that no row of MySQL can have, or one that it can. */
export async function dateRecord(redis: Redis, key: string, number: number, atMs: number): Promise<void> {
  const record = decodeRecord((await redis.hget(key, String(number))) ?? "");
  await redis.hset(key, number, encodeRecord({ ...record, createdAtMs: atMs, updatedAtMs: atMs }));
}
