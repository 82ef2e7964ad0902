/**
 * Takes a snapshot over the wire, as a replica would be given one: Redis may live on another host, and need
 * not have room for it on its disk. Redis saves it in a process of its own and goes on serving.
 */
import { once } from "node:events";
import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectSecurely } from "node:tls";

import type { RedisOptions } from "ioredis";

/** Thrown where Redis does not give a snapshot, or not the whole of it. */
export class SnapshotRefusedError extends Error {
  constructor(reason: string) {
    super(`Redis gave no snapshot: ${reason}`);
    this.name = "SnapshotRefusedError";
  }
}

/** What Redis says where its user, or nobody, may be given a snapshot. */
const forbidden = /^(NOPERM|ERR unknown command) /;
const remedy =
  "Its user needs SYNC and REPLCONF; where the service forbids them, use backups of its own and set BACKUP_CRON=off";

/** Redis says every second that it is still saving; after such a silence it does not any more. */
const silenceMs = 60_000;
const markLength = 40;
const lineEnd = "\r\n";

/**
 * The bytes of a snapshot. It ends when the last one was taken; the caller need not take all.
 *
 * @throws {SnapshotRefusedError} where Redis refuses, fails to save, falls silent, or breaks off
 */
export async function* readSnapshot(options: RedisOptions, signal: AbortSignal): AsyncGenerator<Buffer> {
  const socket = await open(options, signal);
  try {
    const replies = new Replies(socket);
    const { username, password } = options;
    if (password) {
      await replies.orRefusal("without any password configured", () => {
        send(socket, username ? ["AUTH", username, password] : ["AUTH", password]);
      });
    }
    // It can be told the end by a mark, and wants no writes after the snapshot. Older ones know neither word. Valkey
    // sends what it has only to replicas of its own version, and to others not at all where the old form has no place.
    const version = await valkeyVersion(replies, socket);
    for (const option of [
      ["capa", "eof"],
      ["rdb-only", "1"],
      ...(version === undefined ? [] : [["version", version]]),
    ]) {
      await replies.orRefusal("ERR", () => {
        send(socket, ["REPLCONF", ...option]);
      });
    }
    send(socket, ["SYNC"]);
    const head = await replies.line();
    const marked = /^\$EOF:(.{40})$/.exec(head)?.[1];
    if (marked !== undefined) yield* replies.untilMark(Buffer.from(marked, "latin1"));
    else if (/^\$\d+$/.test(head)) yield* replies.bytes(Number(head.slice(1)));
    else throw new SnapshotRefusedError(`it answered ${JSON.stringify(head.slice(0, 100))}`);
  } finally {
    socket.destroy();
  }
}

/** Of a server that says that it is Valkey, and may be asked. */
async function valkeyVersion(replies: Replies, socket: Socket): Promise<string | undefined> {
  const head = await replies.orRefusal("", () => {
    send(socket, ["INFO", "server"]);
  });
  const bytes = /^\$(\d+)$/.exec(head ?? "")?.[1];
  if (bytes === undefined) return undefined;
  const parts: Buffer[] = [];
  for await (const part of replies.bytes(Number(bytes) + lineEnd.length)) parts.push(Buffer.from(part));
  return /^valkey_version:(\S+)/m.exec(Buffer.concat(parts).toString("latin1"))?.[1];
}

async function open(options: RedisOptions, signal: AbortSignal): Promise<Socket> {
  const { host = "127.0.0.1", port = 6379, path, tls } = options;
  const socket = path
    ? connectPlain(path)
    : tls
      ? connectSecurely({ ...(isIP(host) === 0 && { servername: host }), ...tls, host, port })
      : connectPlain(port, host);
  socket.setTimeout(silenceMs, () => socket.destroy(new Error(`silence for ${silenceMs / 1000} s`)));
  // Whoever reads is told; without a listener a fault in between would end the process.
  socket.on("error", () => undefined);
  const onAbort = () => socket.destroy(new Error("told to stop"));
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  socket.once("close", () => {
    signal.removeEventListener("abort", onAbort);
  });
  try {
    await once(socket, tls ? "secureConnect" : "connect");
  } catch (error) {
    throw refusal(error);
  }
  return socket;
}

function send(socket: Socket, words: readonly string[]): void {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  socket.write(`*${words.length}\r\n${parts.join("")}`);
}

function refusal(error: unknown): SnapshotRefusedError {
  if (error instanceof SnapshotRefusedError) return error;
  return new SnapshotRefusedError(error instanceof Error ? error.message : String(error));
}

/** What Redis said, with what to do where it says no for good. */
function withRemedy(words: string): string {
  return forbidden.test(words) ? `${words.trimEnd().replace(/\.$/, "")}. ${remedy}` : words;
}

/** What Redis sends: lines first, then the snapshot. */
class Replies {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#chunks = (socket as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  }

  /** The next line that is not empty: with empty ones Redis says that it is still saving. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf("\n");
      if (end < 0) {
        this.#rest = Buffer.concat([this.#rest, await this.#more()]);
        continue;
      }
      const line = this.#rest.subarray(0, end).toString("latin1").trimEnd();
      this.#rest = this.#rest.subarray(end + 1);
      if (line.startsWith("-")) throw new SnapshotRefusedError(withRemedy(line.slice(1)));
      if (line !== "") return line;
    }
  }

  /** Asks; answers the line, or nothing where it is a refusal with these words. */
  async orRefusal(words: string, ask: () => void): Promise<string | undefined> {
    ask();
    try {
      return await this.line();
    } catch (error) {
      if (!(error instanceof SnapshotRefusedError) || !error.message.includes(words)) throw error;
      return undefined;
    }
  }

  /** So many bytes. */
  async *bytes(count: number): AsyncGenerator<Buffer> {
    for (let left = count; left > 0;) {
      if (this.#rest.length === 0) this.#rest = await this.#more();
      const chunk = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(chunk.length);
      left -= chunk.length;
      yield chunk;
    }
  }

  /** All bytes before a mark, which is the last that Redis sends. */
  async *untilMark(mark: Buffer): AsyncGenerator<Buffer> {
    let held = this.#rest;
    while (!held.subarray(-markLength).equals(mark)) {
      const certain = Math.max(0, held.length - markLength);
      if (certain > 0) yield held.subarray(0, certain);
      held = Buffer.concat([held.subarray(certain), await this.#more()]);
    }
    yield held.subarray(0, held.length - markLength);
  }

  async #more(): Promise<Buffer> {
    try {
      const next = await this.#chunks.next();
      if (next.done === true) throw new SnapshotRefusedError("it closed the connection; its log says why");
      return next.value;
    } catch (error) {
      throw refusal(error);
    }
  }
}
