import { type Batch, byParent, type PendingEntry } from "./batch.ts";
import type { Connection } from "./connections.ts";
import type { Keys } from "./keys.ts";
import { pipelined } from "./pipelined.ts";
import { type Place, referenceTo } from "./references.ts";

/** The messages of a batch that cannot be written. */
export interface Stranded {
  readonly messages: ReadonlySet<PendingEntry>;
  /** Whether a chat of theirs is listed for another try, and may be written with it. */
  readonly mayPass: boolean;
}

/** The messages of a batch whose chat is dead. One command for each application of the batch, one more where there are any. */
export async function findStranded(
  connection: Connection,
  keys: Keys,
  { partition, list, entries }: Batch,
): Promise<Stranded> {
  if (list === "chats") return { messages: new Set(), mayPass: false };
  const messages = new Map<Place, PendingEntry[]>();
  for (const siblings of byParent(entries).values()) {
    const [{ token, chatNumber = 0 }] = siblings;
    messages.set({ token, number: chatNumber }, siblings);
  }
  const dead = await deadAmong(connection, keys, [...messages.keys()]);
  return {
    messages: new Set(dead.flatMap((chat) => messages.get(chat) ?? [])),
    mayPass: dead.length > 0 && (await isListed(connection, keys, partition, dead)),
  };
}

async function deadAmong(connection: Connection, keys: Keys, chats: readonly Place[]): Promise<Place[]> {
  const families = [...byParent(chats).values()];
  const replies = await pipelined(connection, (pipeline) => {
    for (const siblings of families)
      pipeline.hmget(
        keys.dead({ token: siblings[0].token }),
        ...siblings.map(({ number }) => String(number)),
      );
  });
  const isDead = (at: number, nth: number) => (replies[at] as (string | null)[])[nth] !== null;
  return families.flatMap((siblings, at) => siblings.filter((_, nth) => isDead(at, nth)));
}

/** Whether one of some dead chats is listed again: then it has no letter. */
async function isListed(
  connection: Connection,
  keys: Keys,
  partition: number,
  dead: readonly Place[],
): Promise<boolean> {
  const letters = dead.map((chat) => referenceTo(chat, "dead"));
  const times = await connection.client.zmscore(keys.deadLetters(partition), ...letters);
  return times.includes(null);
}
