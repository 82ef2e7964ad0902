import type { ServerResponse } from "node:http";

import type { Operator } from "./access/operator.ts";
import { Refusal } from "./refusal.ts";

const mostOpen = 50;
const mostOpenForAddress = 8;
/** A browser that takes nothing for this long is gone, or holds memory here for nothing. */
const mostBufferedBytes = 1024 * 1024;

interface Listener {
  readonly response: ServerResponse;
  readonly operator: Operator;
}

export interface LiveFeedParts {
  /** What to send; read once for all listeners, and only while there are any. */
  read(): Promise<object>;
  readonly everyMs: number;
  /** Told of a read that failed; the next one is made all the same. */
  onFailure(error: unknown): void;
}

/** Sends what changes to every open page, as server-sent events. */
export class LiveFeed {
  readonly #parts: LiveFeedParts;
  readonly #listeners = new Set<Listener>();
  #timer: NodeJS.Timeout | undefined;
  #isReading = false;
  #isClosed = false;

  constructor(parts: LiveFeedParts) {
    this.#parts = parts;
  }

  /** How many pages listen. */
  get size(): number {
    return this.#listeners.size;
  }

  /** Throws where too many pages are open, here or from that address. @throws {Refusal} */
  makeRoom({ from }: Operator): void {
    const ofAddress = [...this.#listeners].filter(({ operator }) => operator.from === from);
    if (this.#isClosed || this.#listeners.size >= mostOpen || ofAddress.length >= mostOpenForAddress) {
      throw new Refusal(503, "Too many pages are open.", "Close some; this one works without updates.", 10);
    }
  }

  /** Takes a response over, until the browser, the operator's time or this process ends it. */
  add(response: ServerResponse, operator: Operator): void {
    const listener = { response, operator };
    response.writeHead(200, {
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-cache, no-transform",
      "X-Accel-Buffering": "no",
    });
    response.write("retry: 3000\n\n");
    this.#listeners.add(listener);
    response.on("close", () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#rest();
    });
    this.#timer ??= setInterval(() => void this.#tick(), this.#parts.everyMs);
    void this.#tick();
  }

  /** Ends every connection; none is taken from then on. */
  close(): void {
    this.#isClosed = true;
    this.#rest();
    for (const { response } of this.#listeners) response.end();
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Never fails: a failure is told, and the pages see that nothing comes. */
  async #tick(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      const event = `data: ${JSON.stringify(await this.#parts.read())}\n\n`;
      for (const listener of this.#listeners) send(listener, event);
    } catch (error) {
      this.#parts.onFailure(error);
    } finally {
      this.#isReading = false;
    }
  }
}

function send({ response, operator }: Listener, event: string): void {
  if (!operator.isStillIn()) response.end();
  else if (response.writableLength > mostBufferedBytes) response.destroy();
  else response.write(event);
}
