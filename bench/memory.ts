import { setTimeout as delay } from "node:timers/promises";

import { waitFor } from "../test/support/wait-for.ts";
import type { Benchmark, Findings, Settings } from "./support/benchmark.ts";
import { residentBytes } from "./support/cpu.ts";
import { redisBytes } from "./support/engines.ts";
import { Program, sluice } from "./support/program.ts";
import { Server, sluiceKind } from "./support/servers.ts";
import { bodyBytes } from "./support/rows.ts";
import { Stage } from "./support/stage.ts";
import { figure, type Table } from "./support/table.ts";

const mebibyte = 1024 * 1024;
const stillBytes = 16 * 1024;
const mostLooks = 30;

export const memory: Benchmark = {
  name: "memory",
  about: "bytes of Redis for a pending message and for a chat at rest; memory of the processes",
  options: {
    messages: { about: "pending messages, one figure or several", value: "100000,1000000" },
    chats: { about: "chats at rest", value: "100000" },
    seconds: { about: "length of the load on the processes", value: "60" },
  },
  async run(settings): Promise<Findings> {
    const pending: PendingCost[] = [];
    for (const count of settings.numbers("messages")) pending.push(await costOfPending(count));
    const idle = await costOfIdle(settings.number("chats"));
    const resident = await residentOfProcesses(settings.number("seconds"));
    return {
      conditions:
        `Bodies of ${bodyBytes} bytes in 100 chats. Bytes are those that Redis has allocated, without its buffers ` +
        "for clients and for its file. A chat is at rest when nothing of it is pending; its counter leaves Redis after " +
        "an hour, which is brought forward here.",
      tables: [pendingTable(pending), idleTable(idle), residentTable(resident, settings)],
      figures: { pending, idle, resident },
    };
  },
};

interface PendingCost {
  readonly count: number;
  /** Of a message, its body included. */
  readonly bytesEach: number;
}

async function costOfPending(count: number): Promise<PendingCost> {
  const stage = await Stage.open();
  try {
    const before = await redisBytes(stage.workspace);
    await stage.fill(count);
    return { count, bytesEach: ((await redisBytes(stage.workspace)) - before) / count };
  } finally {
    await stage.close();
  }
}

interface IdleCost {
  readonly chats: number;
  /** Of a chat whose counter is still there. */
  readonly bytesWithCounter: number;
  /** Of a chat whose counter has left. */
  readonly bytesAfter: number;
}

async function costOfIdle(chats: number): Promise<IdleCost> {
  const small = await Stage.open({}, { applications: 10, chats: 10 });
  // What was measured before this may still be on its way out.
  const before = await bytesAtRest(small);
  await small.close();
  const stage = await Stage.open({}, { applications: 10, chats });
  try {
    const withCounters = await redisBytes(stage.workspace);
    await stage.expireCounters();
    const left = await bytesAtRest(stage);
    return {
      chats,
      bytesWithCounter: (withCounters - before) / chats,
      // Below nothing where the first measurement had something that has gone since.
      bytesAfter: Math.max(0, left - before) / chats,
    };
  } finally {
    await stage.close();
  }
}

/** Bytes once Redis has given back what it kept for more keys. */
async function bytesAtRest({ workspace }: Stage): Promise<number> {
  const looks = [await redisBytes(workspace)];
  while (looks.length < mostLooks) {
    await delay(1000);
    looks.push(await redisBytes(workspace));
    const [earlier = 0, latest = 0] = looks.slice(-2);
    if (Math.abs(earlier - latest) < stillBytes) break;
  }
  return looks.at(-1) ?? 0;
}

interface Resident {
  readonly idle: Readonly<Record<"api" | "flusher", number>>;
  readonly afterLoad: Readonly<Record<"api" | "flusher", number>>;
}

async function residentOfProcesses(seconds: number): Promise<Resident> {
  const api = await Server.start(sluiceKind);
  const flusher = await Program.start(sluice, ["flusher"], api.stage.env);
  try {
    const both = () => ({ api: residentBytes(api.pid), flusher: residentBytes(flusher.pid) });
    const idle = both();
    await api.post(64, seconds);
    await waitFor(async () => (await api.stage.pending()) === 0, {
      what: "an empty buffer",
      timeoutMs: 600_000,
    });
    return { idle, afterLoad: both() };
  } finally {
    await flusher.end();
    await api.close();
  }
}

function pendingTable(costs: readonly PendingCost[]): Table {
  return {
    title: "bytes of Redis a pending message",
    head: ["in all", "beyond its body"],
    rows: costs.map(({ count, bytesEach }) => [
      `${figure(count)} pending`,
      figure(bytesEach),
      figure(bytesEach - bodyBytes),
    ]),
  };
}

function idleTable({ chats, bytesWithCounter, bytesAfter }: IdleCost): Table {
  return {
    title: `bytes of Redis a chat, of ${figure(chats)} at rest`,
    head: ["figure"],
    rows: [
      ["in its first hour of rest", figure(bytesWithCounter)],
      ["after that", figure(bytesAfter)],
    ],
  };
}

function residentTable({ idle, afterLoad }: Resident, settings: Settings): Table {
  const row = (name: string, role: "api" | "flusher") => [
    name,
    figure(idle[role] / mebibyte),
    figure(afterLoad[role] / mebibyte),
  ];
  return {
    title: "resident memory, MiB",
    head: ["when started", `after ${settings.number("seconds")} s of POSTs`],
    rows: [row("API", "api"), row("flusher", "flusher")],
  };
}
