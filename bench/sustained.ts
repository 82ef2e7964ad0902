import { setTimeout as delay } from "node:timers/promises";

import { waitFor } from "../test/support/wait-for.ts";
import type { Benchmark, Findings, Settings } from "./support/benchmark.ts";
import { residentBytes } from "./support/cpu.ts";
import { redisBytes } from "./support/engines.ts";
import { Program, sluice } from "./support/program.ts";
import { Server, sluiceKind, type Turn } from "./support/servers.ts";
import { usualSize } from "./support/stage.ts";
import { figure, type Table } from "./support/table.ts";

const connections = 64;
const mebibyte = 1024 * 1024;
const parts = 5;

/** What there was at a moment of the load. */
interface Sample {
  readonly second: number;
  readonly pending: number;
  readonly apiBytes: number;
  readonly flusherBytes: number;
  readonly redisBytes: number;
}

export const sustained: Benchmark = {
  name: "sustained",
  about: "POSTs at full speed beside a flusher: all lands, and neither the backlog nor memory grows",
  options: { seconds: { about: "length of the load", value: "300" } },
  async run(settings) {
    const api = await Server.start(sluiceKind);
    const flusher = await Program.start(sluice, ["flusher"], api.stage.env);
    try {
      return await run(api, flusher, settings);
    } finally {
      await flusher.end();
      await api.close();
    }
  },
};

async function run(api: Server, flusher: Program, settings: Settings): Promise<Findings> {
  const seconds = settings.number("seconds");
  const samples: Sample[] = [];
  const over = new AbortController();
  const sampling = sampleEachSecond(api, flusher, samples, over.signal);
  const load = await api.post(connections, seconds).finally(() => {
    over.abort();
  });
  await sampling;
  const loadEndedMs = performance.now();
  await waitFor(async () => (await api.stage.pending()) === 0, {
    what: "an empty buffer",
    timeoutMs: 600_000,
  });
  const emptiedSeconds = (performance.now() - loadEndedMs) / 1000;
  const landed = await api.stage.countMessages();
  const accepted = await api.stage.accepted();
  requireAll(load.requests, accepted, landed);
  return {
    conditions:
      `One API process and one flusher, ${connections} connections for ${seconds} s; messages of 100 bytes to ` +
      `${usualSize.chats} chats. The load is split into ${parts} equal parts of time; of the backlog and of memory the ` +
      "greatest of each part is told.",
    tables: [totals(load, accepted, landed, emptiedSeconds), course(samples, seconds)],
    figures: { load, accepted, landed, emptiedSeconds, samples },
  };
}

/** Every record that was accepted is a row; what wrk had not yet read at its end was accepted as well. */
function requireAll(answered: number, accepted: number, landed: number): void {
  if (landed !== accepted) throw new Error(`${accepted} were accepted and ${landed} landed`);
  if (accepted < answered || accepted > answered + connections)
    throw new Error(`${answered} were answered and ${accepted} accepted`);
}

async function sampleEachSecond(
  api: Server,
  flusher: Program,
  samples: Sample[],
  signal: AbortSignal,
): Promise<void> {
  const startedAtMs = performance.now();
  while (!signal.aborted) {
    await delay(1000, undefined, { signal }).catch(() => undefined);
    samples.push({
      second: (performance.now() - startedAtMs) / 1000,
      pending: await api.stage.pending(),
      apiBytes: residentBytes(api.pid),
      flusherBytes: residentBytes(flusher.pid),
      redisBytes: await redisBytes(api.stage.workspace),
    });
  }
}

function totals(load: Turn, accepted: number, landed: number, emptiedSeconds: number): Table {
  return {
    title: "under load",
    head: ["figure"],
    rows: [
      ["POSTs a second", figure(load.perSecond)],
      ["p50, ms", figure(load.p50Ms)],
      ["p99, ms", figure(load.p99Ms)],
      ["answered with 201", figure(load.requests)],
      [`accepted, those in flight at the end included`, figure(accepted)],
      ["rows in MySQL", figure(landed)],
      ["seconds until the buffer was empty after the load", figure(emptiedSeconds)],
    ],
  };
}

function course(samples: readonly Sample[], seconds: number): Table {
  const rows = Array.from({ length: parts }, (_, part) => {
    const [from, to] = [(part * seconds) / parts, ((part + 1) * seconds) / parts];
    const some = samples.filter(({ second }) => second >= from && second < to);
    const most = (of: (sample: Sample) => number) => Math.max(...some.map(of));
    const mebibytes = (of: (sample: Sample) => number) => figure(most(of) / mebibyte);
    return [
      `${figure(from)}–${figure(to)} s`,
      figure(most(({ pending }) => pending)),
      mebibytes(({ apiBytes }) => apiBytes),
      mebibytes(({ flusherBytes }) => flusherBytes),
      mebibytes((sample) => sample.redisBytes),
    ];
  });
  return { title: "at most", head: ["pending", "API, MiB", "flusher, MiB", "Redis, MiB"], rows };
}
