/**
 * Calls that cost more than what they carry are made together: what is asked of one key within a turn of the
 * event loop goes in one call. Nobody waits for others to come; under load they are there already.
 */

/** Asks for one item of a key, in whichever call it goes. It fails as its call does. */
export type Gathered<Key, Item, Result> = (key: Key, item: Item) => Promise<Result>;

export interface GatherOptions<Key, Item, Result> {
  /** Makes a call. Resolves to a result for each of the items, in their order. */
  readonly run: (key: Key, items: readonly Item[]) => Promise<readonly Result[]>;
  readonly sizeOf: (item: Item) => number;
  /** A call of this size begins at once. */
  readonly mostSize: number;
}

interface Asker<Result> {
  readonly resolve: (result: Result) => void;
  readonly reject: (reason: unknown) => void;
}

interface Call<Item, Result> {
  readonly items: Item[];
  readonly askers: Asker<Result>[];
  size: number;
}

/** Gathers what is asked of each key until the turn has ended or a call is large enough. */
export function gather<Key, Item, Result>({
  run,
  sizeOf,
  mostSize,
}: GatherOptions<Key, Item, Result>): Gathered<Key, Item, Result> {
  const calls = new Map<Key, Call<Item, Result>>();

  function begin(key: Key): Call<Item, Result> {
    const call: Call<Item, Result> = { items: [], askers: [], size: 0 };
    calls.set(key, call);
    setImmediate(send, key, call);
    return call;
  }

  /** Sends a call, unless it was large enough to be sent before. */
  function send(key: Key, call: Call<Item, Result>): void {
    if (calls.get(key) !== call) return;
    calls.delete(key);
    void settle(call.askers, run(key, call.items));
  }

  return (key, item) =>
    new Promise((resolve, reject) => {
      const call = calls.get(key) ?? begin(key);
      call.items.push(item);
      call.askers.push({ resolve, reject });
      call.size += sizeOf(item);
      if (call.size >= mostSize) send(key, call);
    });
}

async function settle<Result>(
  askers: readonly Asker<Result>[],
  running: Promise<readonly Result[]>,
): Promise<void> {
  try {
    const results = await running;
    for (const [nth, asker] of askers.entries()) asker.resolve(results[nth] as Result);
  } catch (reason) {
    for (const asker of askers) asker.reject(reason);
  }
}
