/**
 * Calls that cost more than what they carry are made together: what is asked of one key within a turn of the
 * event loop goes in one call. Nobody waits for others to come; under load they are there already.
 */

/** Asks for one item of a key, in whichever call it goes. It fails as its call does. */
export type Gathered<Key, Item, Result> = (key: Key, item: Item) => Promise<Result>;

export interface GatherLimits<Item> {
  /** With as many items, or so much of them, a call begins at once. */
  readonly most: { readonly items: number; readonly size: number };
  readonly sizeOf: (item: Item) => number;
}

interface Call<Item, Result> {
  readonly items: Item[];
  readonly askers: { resolve(result: Result): void; reject(reason: unknown): void }[];
  size: number;
}

/** Makes calls to `run`, which answers a result for each of its items, in their order. */
export function gather<Key, Item, Result>(
  run: (key: Key, items: readonly Item[]) => Promise<readonly Result[]>,
  { most, sizeOf }: GatherLimits<Item>,
): Gathered<Key, Item, Result> {
  const calls = new Map<Key, Call<Item, Result>>();

  function begin(key: Key): Call<Item, Result> {
    const call: Call<Item, Result> = { items: [], askers: [], size: 0 };
    calls.set(key, call);
    setImmediate(send, key, call);
    return call;
  }

  /** Sends a call, unless it was too large to wait for the end of its turn. */
  function send(key: Key, call: Call<Item, Result>): void {
    if (calls.get(key) !== call) return;
    calls.delete(key);
    void settle(call, run(key, call.items));
  }

  return (key, item) =>
    new Promise((resolve, reject) => {
      const call = calls.get(key) ?? begin(key);
      call.items.push(item);
      call.askers.push({ resolve, reject });
      call.size += sizeOf(item);
      if (call.items.length >= most.items || call.size >= most.size) send(key, call);
    });
}

async function settle<Item, Result>(
  { askers }: Call<Item, Result>,
  running: Promise<readonly Result[]>,
): Promise<void> {
  try {
    const results = await running;
    for (const [nth, { resolve }] of askers.entries()) resolve(results[nth] as Result);
  } catch (reason) {
    for (const { reject } of askers) reject(reason);
  }
}
