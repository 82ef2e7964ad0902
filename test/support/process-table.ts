import { readdirSync, readFileSync } from "node:fs";

/** The processes of Sluice that a process has started, by role. */
export function partsOf(parent: number | undefined): Map<string, number> {
  return new Map(startedBy(parent).map(({ role, pid }) => [role, pid]));
}

/** The processes of Sluice that a process has started; of a role there may be several. */
export function startedBy(parent: number | undefined): { role: string; pid: number }[] {
  const found: { role: string; pid: number }[] = [];
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      const [state, ppid] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (Number(ppid) !== parent || state === "Z") continue;
      const [role = "", program = ""] = readFileSync(`/proc/${entry}/cmdline`, "utf8")
        .split("\0")
        .reverse()
        .slice(1);
      if (program.endsWith("main.ts")) found.push({ role, pid: Number(entry) });
    } catch {
      // It ended while it was looked at.
    }
  }
  return found;
}

/** Whether a process runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}
