import type { JobStatus } from "../buffer/job-runs.ts";
import type { RunningProcess } from "../buffer/processes.ts";
import type { Check } from "./engine-check.ts";
import { ageText, countText, manyText, timeText } from "./format.ts";
import type { PartitionStatus, Status } from "./status.ts";

/** Something an operator should know, and what to do about it. */
export interface Finding {
  /** "bad": clients notice, or soon will. "warning": it can wait for a person. */
  readonly severity: "bad" | "warning";
  readonly what: string;
  readonly remedy: string;
  /** The page where it can be done. */
  readonly page?: { readonly href: string; readonly name: string };
}

export type Verdict = "good" | "warning" | "bad";

/** The minute flushes everything, so what waits for two of them is held up. */
const lateAfterSeconds = 120;
/** A list at its threshold is flushed at once, and all others within the minute: with this much for one batch. */
const batchSeconds = 5;
const minuteSeconds = 60;
const nearlyFull = 0.8;

const partitionsPage = { href: "/ops/partitions", name: "Partitions" };

/** What is wrong, the worst first; nothing where all is well. */
export function judge(
  checks: readonly Check[],
  status: Status | undefined,
  jobs: Readonly<Record<string, JobStatus>> = {},
  processes: readonly RunningProcess[] = [],
): readonly Finding[] {
  const findings = [
    ...checks.flatMap(judgeEngine),
    ...(status ? judgeStatus(status, processes) : []),
    ...Object.entries(jobs).flatMap(([name, job]) => judgeJob(name, job)),
    ...processes.flatMap(judgeVersion),
  ];
  return findings.sort((one, other) => Number(one.severity !== "bad") - Number(other.severity !== "bad"));
}

export function verdictOf(findings: readonly Finding[]): Verdict {
  return findings[0]?.severity ?? "good";
}

function judgeEngine({ name, ready, answers, detail, remedy, isNoticed }: Check): Finding[] {
  if (!ready) {
    return [
      {
        severity: "bad",
        what: `${name} ${detail}. A POST of a chat or message is answered 503.`,
        remedy:
          remedy ??
          `Start ${name}, or mend its address. Nothing else has to be done: work goes on by itself.`,
      },
    ];
  }
  if (!answers) {
    return [
      {
        severity: "warning",
        what: `${name} ${detail}. Chats and messages are accepted all the same.`,
        remedy: remedy ?? `Start ${name}, or mend its address. What waits for it is done then.`,
      },
    ];
  }
  if (detail === "answers") return [];
  return [
    {
      severity: isNoticed ? "bad" : "warning",
      what: `${name} ${detail}.`,
      remedy: remedy ?? `Look at the settings of ${name}.`,
    },
  ];
}

function judgeStatus(status: Status, processes: readonly RunningProcess[]): Finding[] {
  const { perPartition, limits } = status;
  return [
    ...judgeDraining(perPartition),
    ...perPartition.filter(({ paused }) => paused).map(describePause),
    ...perPartition.flatMap((partition) => judgeFlow(partition, status.thresholds, processes)),
    ...perPartition.flatMap((partition) => judgeRoom(partition, limits)),
    ...judgeDeadLetters(status),
    ...judgeIndex(status.index),
  ];
}

function judgeDraining(partitions: readonly PartitionStatus[]): Finding[] {
  const idle = partitions.filter(({ drainedBy }) => drainedBy === null);
  if (idle.length === 0) return [];
  return [
    {
      severity: "bad",
      what: `No flusher drains ${manyText(idle.length, "partition")} of ${countText(partitions.length)}. What is accepted stays in Redis.`,
      remedy: "Start one with sluice flusher; if one runs, its log says why it has no lease.",
    },
  ];
}

function describePause({ partition, paused }: PartitionStatus): Finding {
  return {
    severity: "warning",
    what: `Partition ${partition} is PAUSED since ${paused ? timeText(new Date(paused.since)) : ""} UTC by ${paused?.by ?? ""}. What is accepted stays in Redis.`,
    remedy: "Resume it before the buffer is full.",
    page: partitionsPage,
  };
}

/** What waits and is not flushed in time, whatever the cause. */
function judgeFlow(
  one: PartitionStatus,
  thresholds: Status["thresholds"],
  processes: readonly RunningProcess[],
): Finding[] {
  const { partition, pending, paused, oldestAgeSeconds, stalledSeconds } = one;
  const isAtThreshold = pending.chats >= thresholds.chats || pending.messages >= thresholds.messages;
  const isStalled = stalledSeconds > batchSeconds + (isAtThreshold ? 0 : minuteSeconds);
  if (paused !== null || (!isStalled && oldestAgeSeconds <= lateAfterSeconds)) return [];
  const what = isStalled
    ? `In partition ${partition} ${manyText(pending.chats + pending.messages, "record")} wait and nothing was flushed for ${ageText(stalledSeconds)}.`
    : `In partition ${partition} a record has waited for ${ageText(oldestAgeSeconds)}; a minute is the rule.`;
  return [
    {
      severity: oldestAgeSeconds > lateAfterSeconds ? "bad" : "warning",
      what: [what, ...(isStalled ? troublesOf(processes, stalledSeconds) : [])].join(" "),
      remedy: "Look whether MySQL answers, and at the flusher's log for what holds it up.",
    },
  ];
}

/** What flushers have met since nothing is flushed, or just before. */
function troublesOf(processes: readonly RunningProcess[], stalledSeconds: number): string[] {
  return processes.flatMap(({ host, pid, trouble }) => {
    if (!trouble || trouble.ageMs / 1000 > stalledSeconds + batchSeconds) return [];
    return [`Flusher ${host}:${pid} met: ${trouble.what}.`];
  });
}

function judgeRoom(one: PartitionStatus, limits: Status["limits"]): Finding[] {
  const records = (one.pending.chats + one.pending.messages) / limits.records;
  const fill = Math.max(records, one.pendingBytes / limits.bytes);
  if (fill < nearlyFull) return [];
  const isFull = fill >= 1;
  return [
    {
      severity: isFull ? "bad" : "warning",
      what: isFull
        ? `The buffer of partition ${one.partition} is full: a POST of a chat or message is answered 503.`
        : `The buffer of partition ${one.partition} is ${Math.floor(fill * 100)} % full.`,
      remedy: "Let it flush. If it does and is too slow, MySQL is; else raise BUFFER_MAX_RECORDS or _BYTES.",
      page: partitionsPage,
    },
  ];
}

/** Owed documents are written within seconds while Elasticsearch answers. */
const indexLateAfterSeconds = 600;

function judgeIndex({ oldestAgeSeconds, owed, refused }: Status["index"]): Finding[] {
  const found: Finding[] = [];
  if (oldestAgeSeconds > indexLateAfterSeconds) {
    found.push({
      severity: "warning",
      what: `The search index is behind: ${countText(owed.documents)} documents, the oldest for ${ageText(oldestAgeSeconds)}.`,
      remedy: "Look whether Elasticsearch answers, and at the flusher's log. MySQL answers meanwhile.",
    });
  }
  if (refused > 0) {
    found.push({
      severity: "warning",
      what: `Elasticsearch refused ${manyText(refused, "document")} so far: those messages are not found.`,
      remedy: "The flusher's log says why; sluice reindex writes all of them anew.",
    });
  }
  return found;
}

/** During an upgrade this passes by itself; after it, somebody has forgotten a flusher. */
function judgeVersion({ host, pid, sharing }: RunningProcess): Finding[] {
  const waiting = sharing?.standsBackFrom ?? [];
  if (waiting.length === 0) return [];
  return [
    {
      severity: "warning",
      what: `Records of another version of Sluice wait in ${manyText(waiting.length, "partition")}: flusher ${host}:${pid} leaves them alone.`,
      remedy: "Upgrade this flusher, or start one of their version beside it.",
      page: partitionsPage,
    },
  ];
}

/** A job that fails is tried again at its next tick. */
function judgeJob(name: string, { runs: [last] }: JobStatus): Finding[] {
  if (last?.outcome !== "failed") return [];
  return [
    {
      severity: "warning",
      what: `The job ${name} failed: ${last.detail}`,
      remedy: "Mend what it names; it is tried again at its next tick, or at once by hand.",
      page: { href: "/ops/jobs", name: "Jobs" },
    },
  ];
}

function judgeDeadLetters({ deadLetters, flushed, perPartition }: Status): Finding[] {
  // The page has one partition at a time.
  const { partition = 0 } = perPartition.find((one) => one.deadLetters > 0) ?? {};
  const href = partition === 0 ? "/ops/dead-letters" : `/ops/dead-letters?partition=${partition}`;
  const page = { href, name: "Dead letters" };
  const found: Finding[] = [];
  if (deadLetters > 0) {
    found.push({
      severity: "warning",
      what: `${manyText(deadLetters, "dead letter")}: MySQL refused what they hold.`,
      remedy: "Look why, then mend, requeue or discard them.",
      page,
    });
  }
  if (flushed.conflicts > 0) {
    found.push({
      severity: "warning",
      what: `${manyText(flushed.conflicts, "number")} came twice since counting began; this must stay 0.`,
      remedy: "Post their texts anew and discard them. Was MySQL put back to an older copy?",
      page,
    });
  }
  return found;
}
