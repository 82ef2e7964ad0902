import { readFileSync } from "node:fs";

import { childrenOf } from "../../test/support/children.ts";

/** Of the kernel: in these /proc counts, on every Linux there is. */
const ticksPerSecond = 100;

/** Seconds of processor time that a process and all it has started, and that are still there, have used. */
export function cpuSeconds(pid: number): number {
  return familyOf(pid).reduce((total, member) => total + ticksOf(member), 0) / ticksPerSecond;
}

/** Bytes of memory that a process and all it has started hold. */
export function residentBytes(pid: number): number {
  return familyOf(pid).reduce((total, member) => total + residentOf(member), 0);
}

function familyOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(familyOf)];
}

function ticksOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name, second and in brackets, may hold spaces and brackets.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(fields[11]) + Number(fields[12]);
  } catch {
    return 0;
  }
}

function residentOf(pid: number): number {
  try {
    const [, kibibytes = "0"] =
      /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kibibytes) * 1024;
  } catch {
    return 0;
  }
}

/** The parts of a system whose processor time is told apart. */
export type Part = "node" | "redis" | "mysql";

/** Processes by part; an engine that runs elsewhere has none. */
export type Pids = Readonly<Record<Part, readonly number[]>>;

/** Seconds of processor time by part. */
export type CpuUse = Readonly<Record<Part, number>>;

/** What each part uses while something is done. */
export async function cpuOf<T>(pids: Pids, act: () => Promise<T>): Promise<{ result: T; cpu: CpuUse }> {
  const before = used(pids);
  const result = await act();
  const after = used(pids);
  const difference = (part: Part) => after[part] - before[part];
  return {
    result,
    cpu: { node: difference("node"), redis: difference("redis"), mysql: difference("mysql") },
  };
}

function used(pids: Pids): CpuUse {
  const sum = (part: Part) => pids[part].reduce((total, pid) => total + cpuSeconds(pid), 0);
  return { node: sum("node"), redis: sum("redis"), mysql: sum("mysql") };
}
