import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

const host = "127.0.0.1";

/** A connection through the proxy: the client's side, and the server's. */
interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** What the client sent has gone on, and the answer to it is to be lost. */
  isDoomed: boolean;
  /** What the server has sent since its answer is withheld. */
  withheld: Buffer[] | undefined;
}

/** An answer that has come as far as the proxy, or will. */
export interface WithheldAnswer {
  /** Resolves when the server has carried out what it was asked, and has begun to answer. */
  readonly begun: Promise<void>;
  /** Hands it on. */
  release(): void;
  /** Resets the connection in its place. */
  lose(): void;
}

/** Stands between a client and a server on the loopback, and on demand behaves like a bad network. */
export class FaultProxy {
  readonly #listener: Server;
  #targetPort: number;
  readonly #pairs = new Set<Pair>();
  #isStalled = false;
  #delayMs = 0;
  #dooms = 0;
  #withhold: { readonly request: string; readonly take: (pair: Pair) => void } | undefined;
  #onAnswer = (): void => undefined;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#listener = createServer((client) => {
      this.#join(client);
    });
  }

  static async to(targetPort: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(targetPort);
    proxy.#listener.listen(0, host);
    await once(proxy.#listener, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  /** Resets every connection. */
  cut(): void {
    for (const pair of this.#pairs) sever(pair);
  }

  /** Joins whoever connects from now on to another server; connections that there are stay where they are. */
  retarget(targetPort: number): void {
    this.#targetPort = targetPort;
  }

  /** Half-open: connections are kept and taken, and nothing passes until `heal`; it is then delivered late. */
  stall(): void {
    this.#isStalled = true;
    for (const { client, server } of this.#pairs) {
      client.pause();
      server.pause();
    }
  }

  /** From now on everything takes so much longer, each way. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** What is sent next, so many times, reaches the server; in place of the answer the client gets a reset. */
  resetAfterNextWrites(times: number): void {
    this.#dooms = times;
  }

  /** Keeps back the answer to the next request in which a text stands, and all that follows on its connection. */
  withholdAnswerTo(request: string): WithheldAnswer {
    let withheld: Pair | undefined;
    const begun = new Promise<void>((resolve) => (this.#onAnswer = resolve));
    const take = (pair: Pair) => {
      this.#withhold = undefined;
      pair.withheld = [];
      withheld = pair;
    };
    this.#withhold = { request, take };
    return {
      begun,
      release: () => {
        for (const chunk of withheld?.withheld ?? []) withheld?.client.write(chunk);
        if (withheld) withheld.withheld = undefined;
      },
      lose: () => {
        if (withheld) sever(withheld);
      },
    };
  }

  /** Behaves well again. */
  heal(): void {
    this.#isStalled = false;
    this.#delayMs = 0;
    this.#dooms = 0;
    for (const { client, server } of this.#pairs) {
      client.resume();
      server.resume();
    }
  }

  async close(): Promise<void> {
    this.#listener.close();
    this.cut();
    await once(this.#listener, "close");
  }

  #join(client: Socket): void {
    const pair: Pair = {
      client,
      server: connect(this.#targetPort, host),
      isDoomed: false,
      withheld: undefined,
    };
    this.#pairs.add(pair);
    this.#pass(pair, client, pair.server, (chunk) => {
      if (this.#withhold && chunk.includes(this.#withhold.request)) this.#withhold.take(pair);
      if (this.#dooms > 0 && !pair.isDoomed) {
        this.#dooms -= 1;
        pair.isDoomed = true;
      }
      return true;
    });
    this.#pass(pair, pair.server, client, (chunk) => {
      if (pair.isDoomed) sever(pair);
      if (pair.withheld?.push(chunk)) this.#onAnswer();
      return !pair.isDoomed && !pair.withheld;
    });
    if (this.#isStalled) {
      client.pause();
      pair.server.pause();
    }
  }

  /** Hands on what arrives at `from`, in order, unless `admit` says no. */
  #pass(pair: Pair, from: Socket, to: Socket, admit: (chunk: Buffer) => boolean): void {
    let onTheWay = 0;
    let arrived: Promise<unknown> = Promise.resolve();
    from.setNoDelay(true);
    from.on("data", (chunk: Buffer) => {
      if (!admit(chunk)) return;
      if (this.#delayMs === 0 && onTheWay === 0) {
        to.write(chunk);
        return;
      }
      onTheWay += 1;
      arrived = Promise.all([arrived, delay(this.#delayMs)]).then(() => {
        onTheWay -= 1;
        to.write(chunk);
      });
    });
    from.on("error", () => undefined);
    // One side that is gone ends the other, after what is still on its way.
    from.on("close", () => {
      this.#pairs.delete(pair);
      void arrived.then(() => {
        to.end();
        to.resume();
      });
    });
  }
}

function sever({ client, server }: Pair): void {
  client.resetAndDestroy();
  server.resetAndDestroy();
}
