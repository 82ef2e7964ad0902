import type { Buffer } from "../buffer/buffer.ts";
import { BufferUnavailableError } from "../buffer/connections.ts";
import type { Flush } from "../buffer/recent-flushes.ts";
import { type JobName, jobNames, type JobStatus } from "../buffer/job-runs.ts";
import type { RunningProcess } from "../buffer/processes.ts";
import { type Finding, judge, type Verdict, verdictOf } from "./findings.ts";
import { type Rates, readRates } from "./rates.ts";
import type { Check } from "./engine-check.ts";
import { readStatus, type Status } from "./status.ts";

/** What only Redis knows. */
export interface Numbers extends Status {
  readonly rates: Rates;
  /** Of all partitions, the newest first. */
  readonly lastFlushes: readonly Flush[];
  readonly processes: readonly RunningProcess[];
  /** What became of each job's last run. */
  readonly jobs: Readonly<Record<JobName, JobStatus>>;
}

/** All that the dashboard, `/ops/status` and `sluice status` show. */
export interface Overview {
  readonly at: string;
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
  readonly engines: readonly Check[];
  /** Absent while Redis is away. */
  readonly numbers: Numbers | undefined;
}

const flushesShown = 20;

/** Looks at everything once, within about a second whatever is down. */
export async function readOverview(
  buffer: Buffer,
  check: () => Promise<readonly Check[]>,
): Promise<Overview> {
  const [engines, numbers] = await Promise.all([check(), readNumbers(buffer)]);
  const findings = judge(engines, numbers, numbers?.jobs, numbers?.processes);
  return { at: new Date().toISOString(), verdict: verdictOf(findings), findings, engines, numbers };
}

/** As it is shown to programs: one level for the numbers, absent while Redis is away. */
export function presentOverview({ numbers, ...rest }: Overview): object {
  return { ...rest, ...numbers };
}

async function readNumbers(buffer: Buffer): Promise<Numbers | undefined> {
  try {
    const status = await readStatus(buffer);
    const [rates, processes, jobs, flushes] = await Promise.all([
      readRates(buffer, status),
      buffer.processes.list(),
      readJobs(buffer),
      Promise.all(
        status.perPartition.map(({ partition }) => buffer.recentFlushes.read(partition, flushesShown)),
      ),
    ]);
    const newestFirst = flushes.flat().sort((one, other) => other.at.getTime() - one.at.getTime());
    return { ...status, rates, processes, jobs, lastFlushes: newestFirst.slice(0, flushesShown) };
  } catch (error) {
    if (error instanceof BufferUnavailableError) return undefined;
    throw error;
  }
}

/** The last run of each job, and what is known of it. */
async function readJobs(buffer: Buffer): Promise<Numbers["jobs"]> {
  const statuses = await Promise.all(
    jobNames.map(async (name) => [name, await buffer.jobs.status(name, 1)] as const),
  );
  return Object.fromEntries(statuses) as Numbers["jobs"];
}
