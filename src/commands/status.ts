import type { JobStatus } from "../buffer/job-runs.ts";
import type { Config } from "../config.ts";
import { ageText, bytesText, countText, rateText } from "../ops/format.ts";
import { type Numbers, type Overview, presentOverview, readOverview } from "../ops/overview.ts";
import { checkReadiness } from "../ops/readiness.ts";
import { openStore } from "../store/store.ts";
import { OperatorError } from "./operator-error.ts";
import { openConfiguredBuffer } from "./parts.ts";

/**
 * Prints where Sluice stands, for a person or as JSON: what the dashboard shows.
 *
 * @throws {OperatorError} where Redis does not answer, after what is known without it
 */
export async function runStatus(config: Config, { json }: { json: boolean }): Promise<void> {
  const buffer = await openConfiguredBuffer(config, "draining");
  const store = openStore(config.database, "requests");
  try {
    const overview = await readOverview(buffer, () => checkReadiness(buffer, store, false));
    console.log(json ? JSON.stringify(presentOverview(overview), undefined, 2) : describe(overview));
    if (!overview.numbers)
      throw new OperatorError("What waits and what was flushed cannot be shown: Redis knows it.");
  } finally {
    buffer.close();
    await store.close();
  }
}

const headlines = { good: "all is well", warning: "works, but look at this", bad: "act now" } as const;

function describe({ verdict, findings, engines, numbers }: Overview): string {
  return [
    line("verdict", headlines[verdict]),
    ...findings.map(({ severity, what, remedy }) =>
      line(severity === "bad" ? "!!" : "!", `${what} ${remedy}`),
    ),
    ...engines.map(({ name, detail }) => line(name, detail)),
    ...(numbers ? describeNumbers(numbers) : []),
  ].join("\n");
}

function describeNumbers(numbers: Numbers): string[] {
  const { pending, accepted, rates, flushed, lastFlushes } = numbers;
  const { threshold, minute, manual } = flushed.rowsByTrigger;
  const [latest] = lastFlushes;
  const now = `${rateText(rates.acceptedPerSecond)} accepted/s, ${rateText(rates.flushedPerSecond)} flushed/s`;
  return [
    line("now", now),
    line("pending", `${recordsText(pending)}, ${bytesText(numbers.pendingBytes)}`),
    line("oldest", ageText(numbers.oldestAgeSeconds)),
    line("accepted", recordsText(accepted)),
    line(
      "flushed rows",
      `${countText(threshold)} by threshold, ${countText(minute)} by the minute, ${countText(manual)} by hand`,
    ),
    line(
      "last flush",
      latest ? `${latest.at.toISOString()}, ${countText(latest.rows)} rows by ${latest.trigger}` : "none yet",
    ),
    line("search index", indexText(numbers.index)),
    line("processes", numbers.processes.map(({ role, host, pid }) => `${role} ${host}:${pid}`).join(", ")),
    ...Object.entries(numbers.jobs).map(([name, job]) => line(`job ${name}`, describeJob(job))),
    line("dead letters", countText(numbers.deadLetters)),
    line(
      "partitions",
      `${numbers.partitionsDrained} of ${numbers.partitions} drained, ${numbers.partitionsPaused} paused`,
    ),
  ];
}

function recordsText({ chats, messages }: Numbers["pending"]): string {
  return `${countText(messages)} messages, ${countText(chats)} chats`;
}

function indexText({ owed, oldestAgeSeconds, indexed, refused }: Numbers["index"]): string {
  const waits = `${countText(owed.documents)} owed for ${ageText(oldestAgeSeconds)}`;
  return `${waits}, ${countText(indexed)} indexed, ${countText(refused)} refused`;
}

function describeJob({ isRunning, runs: [last] }: JobStatus): string {
  if (isRunning) return "runs";
  return last
    ? `${last.outcome} ${new Date(last.startedAtMs).toISOString()}: ${last.detail}`
    : "has not run yet";
}

function line(name: string, text: string): string {
  return `${name.padEnd(13)} ${text}`;
}
