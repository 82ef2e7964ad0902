import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

const host = "127.0.0.1";
const headBytes = 4;

/**
 * Stands between a client and MySQL, as a proxy with a limit of its own does: at a packet of the client's that is
 * larger it closes the connection, with no word.
 */
export class PacketLimitProxy {
  readonly #listener: Server;
  readonly #sockets = new Set<Socket>();
  /** Connections that were closed for their packets. */
  closed = 0;

  private constructor(targetPort: number, mostBytes: number) {
    this.#listener = createServer((client) => {
      const server = connect(targetPort, host);
      for (const [one, other] of [
        [client, server],
        [server, client],
      ] as const) {
        this.#sockets.add(one);
        one.on("error", () => undefined);
        one.on("close", () => {
          this.#sockets.delete(one);
          other.destroy();
        });
      }
      server.on("data", (chunk) => client.write(chunk));
      const sizes = new PacketSizes();
      client.on("data", (chunk) => {
        if (sizes.greatestIn(chunk) <= mostBytes) {
          server.write(chunk);
          return;
        }
        this.closed += 1;
        client.destroy();
      });
    });
  }

  static async to(targetPort: number, mostBytes: number): Promise<PacketLimitProxy> {
    const proxy = new PacketLimitProxy(targetPort, mostBytes);
    proxy.#listener.listen(0, host);
    await once(proxy.#listener, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#listener.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#listener, "close");
  }
}

/** Follows the packets of MySQL's protocol: three bytes of length, one of sequence, and the content. */
class PacketSizes {
  #rest = Buffer.alloc(0);
  #toSkip = 0;

  /** The greatest size that a head in this chunk announces. */
  greatestIn(chunk: Buffer): number {
    let greatest = 0;
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const skipped = Math.min(this.#toSkip, this.#rest.length);
      this.#rest = this.#rest.subarray(skipped);
      this.#toSkip -= skipped;
      if (this.#toSkip > 0 || this.#rest.length < headBytes) return greatest;
      const size = this.#rest.readUIntLE(0, 3);
      greatest = Math.max(greatest, size);
      this.#toSkip = headBytes + size;
    }
  }
}
