/**
 * The torture: writers ask, faults strike, and in the end all that was answered is compared with all that is
 * there. The seed decides what the writers ask and which faults strike when; how the two meet is up to the
 * machine, so a seed brings back a run's plan, and only mostly its course.
 */
import { setTimeout as pause } from "node:timers/promises";

import { Client } from "../support/client.ts";
import { waitFor } from "../support/wait-for.ts";
import { compareReads, numbersGivenAgain, readableAfterDeletion } from "./api-checks.ts";
import { allRows, compare, leftInRedis, repeatedOperationIds, untilDrained } from "./checker.ts";
import type { EngineKinds } from "./engines.ts";
import { FaultInjector } from "./faults.ts";
import { type Fate, Ledger } from "./ledger.ts";
import { Random } from "./random.ts";
import { System } from "./system.ts";
import { Writer, type World } from "./writer.ts";

const writerCount = 8;

export interface TortureReport {
  readonly seed: number;
  /** By kind of fault. */
  readonly faults: ReadonlyMap<string, number>;
  /** By operation and outcome. */
  readonly operations: ReadonlyMap<string, number>;
  /** Why operations were not acknowledged. */
  readonly causes: ReadonlyMap<string, number>;
  /** Warnings and errors of the processes that were killed, by message. */
  readonly logs: ReadonlyMap<string, number>;
  readonly rows: number;
  /** What is not as it must be; nothing, where Sluice keeps its word. */
  readonly problems: readonly string[];
}

/** Runs the torture for so long, and checks; throws only where it cannot be run at all. */
export async function torture(
  durationMs: number,
  seed: number,
  kinds: EngineKinds = { redis: "server", database: "mariadb" },
): Promise<TortureReport> {
  const system = await System.start(kinds);
  try {
    const random = new Random(seed);
    const ledger = new Ledger();
    const injector = new FaultInjector(system, random.fork());
    await writeUnderFaults(system, ledger, injector, random, durationMs);
    const { rows, problems } = await checkAll(system, ledger);
    await system.stopSluice();
    const { logCounts: logs } = system;
    // An error is what somebody must act on: faults that pass are none, and nothing else has happened.
    problems.push(...[...logs.keys()].filter((line) => line.startsWith("error") || line.startsWith("fatal")));
    return {
      seed,
      faults: injector.counts,
      operations: ledger.fates,
      causes: ledger.causes,
      logs,
      rows,
      problems,
    };
  } finally {
    await system.close();
  }
}

async function writeUnderFaults(
  system: System,
  ledger: Ledger,
  injector: FaultInjector,
  random: Random,
  durationMs: number,
): Promise<void> {
  const world: World = { ledger, urls: () => system.urls, chats: [], applications: [] };
  const writersStop = new AbortController();
  const writers = Array.from({ length: writerCount }, (_, nth) =>
    new Writer(`w${nth}`, world, random.fork()).run(writersStop.signal),
  );
  const faultsStop = new AbortController();
  const faults = injector.run(faultsStop.signal);
  await pause(durationMs);
  faultsStop.abort();
  // The writers go on until everything runs again: what comes back must also be fit to serve.
  await faults;
  writersStop.abort();
  await Promise.all(writers);
}

async function checkAll(system: System, ledger: Ledger): Promise<{ rows: number; problems: string[] }> {
  const { workspace } = system;
  const problems = [...ledger.problems];
  const client = new Client(system.urls[0] ?? "");
  await untilDrained(workspace);
  // A Redis of several masters, or a MySQL, comes back to each process by parts.
  const answers = async () =>
    Promise.all(ledger.of("application").map(({ path }) => client.get(`${path}/chats`)));
  const isReady = async () => (await answers()).every(({ status }) => status !== 503);
  await waitFor(isReady, { what: "an API that serves every application" });
  problems.push(...(await leftInRedis(workspace)), ...(await repeatedOperationIds(workspace)));
  const rows = await allRows(workspace);
  problems.push(...compare(ledger, rows), ...(await compareReads(client, rows)));
  problems.push(...(await readableAfterDeletion(client, ledger)));
  problems.push(...(await numbersGivenAgain(client, ledger, rows)));
  client.close();
  return { rows: rows.length, problems };
}

/** The report for a person, the seed first. */
export function describeReport({
  seed,
  faults,
  operations,
  causes,
  logs,
  rows,
  problems,
}: TortureReport): string {
  const table = (counts: ReadonlyMap<string, number>) =>
    [...counts]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([name, count]) => `  ${String(count).padStart(7)}  ${name}`);
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  const kills = [...faults].filter(([name]) => name.startsWith("kill")).map(([, count]) => count);
  const ended = (fate: Fate) =>
    `${sum([...operations].filter(([name]) => name.endsWith(fate)).map(([, count]) => count))} ${fate}`;
  return [
    `seed ${seed}: ${sum([...faults.values()])} faults, ${sum(kills)} of them kills, ${rows} rows, ${problems.length} problems`,
    "faults injected",
    ...table(faults),
    `operations: ${ended("acknowledged")}, ${ended("refused")}, ${ended("unknown")}`,
    ...table(operations),
    "not acknowledged for",
    ...table(causes),
    "warnings and errors logged",
    ...table(logs),
    ...problems.slice(0, 40).map((problem) => `PROBLEM ${problem}`),
  ].join("\n");
}
