import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { z } from "zod";

const script = fileURLToPath(new URL("load.lua", import.meta.url));

const output = z.object({
  requests: z.number(),
  seconds: z.number(),
  p50Us: z.number(),
  p99Us: z.number(),
  p999Us: z.number(),
  refused: z.number(),
  broken: z.number(),
});

export interface Load {
  readonly url: string;
  readonly method: "GET" | "POST";
  /** A file with a path a line. */
  readonly pathsFile: string;
  readonly body?: string;
  /** How idempotency keys begin, where requests have one. */
  readonly keyPrefix?: string;
  /** From how many addresses requests are said to come in turn; absent, all come from one. */
  readonly addresses?: number;
  readonly connections: number;
  readonly seconds: number;
}

/** What a load of requests came to; all of them were answered, none with an error. */
export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
}

/**
 * Sends requests through wrk, each connection its next one when the last was answered, so that times are those
 * of a server under as much load as it takes.
 *
 * @throws where a request was not answered, or answered by an error
 */
export async function applyLoad({
  url,
  method,
  pathsFile,
  body = "",
  keyPrefix = "",
  addresses = 0,
  connections,
  seconds,
}: Load): Promise<LoadResult> {
  // One thread: the cores are few, and one makes far more requests than any contestant answers.
  const flags = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s", "--latency", "-s", script];
  const args = [...flags, url, "--", method, pathsFile, body, keyPrefix, String(addresses)];
  const wrk = process.env["SLUICE_BENCH_WRK"] ?? "wrk";
  const { stdout } = await promisify(execFile)(wrk, args);
  return readOutput(stdout);
}

/** Reads what load.lua printed. @throws where a request was not answered, or answered by an error */
export function readOutput(stdout: string): LoadResult {
  const line = stdout.split("\n").find((candidate) => candidate.startsWith("{"));
  if (line === undefined) throw new Error(`wrk printed no result:\n${stdout}`);
  const { requests, seconds, p50Us, p99Us, p999Us, refused, broken } = output.parse(JSON.parse(line));
  if (requests === 0 || refused + broken > 0)
    throw new Error(`of ${requests} requests ${refused} were refused and ${broken} broke off`);
  return {
    requests,
    perSecond: requests / seconds,
    p50Ms: p50Us / 1000,
    p99Ms: p99Us / 1000,
    p999Ms: p999Us / 1000,
  };
}
