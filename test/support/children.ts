import { readdirSync } from "node:fs";

import { parentOf } from "../../embedded/processes.mjs";

/** The numbers of the processes that one has started itself and that are still there; none without /proc. */
export function childrenOf(pid: number): number[] {
  const processes =
    process.platform === "linux" ? readdirSync("/proc").filter((name) => /^\d+$/.test(name)) : [];
  return processes.map(Number).filter((candidate) => parentOf(candidate) === pid);
}
