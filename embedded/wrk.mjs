import { executables } from "./binaries.mjs";
import { Refusal } from "./refusal.mjs";

/**
 * Where wrk is, the program that makes the load of the benchmarks. Installed where it is missing and that can be
 * done; otherwise a `Refusal` says what to do.
 *
 * @param {import("./binaries.mjs").Machine} machine
 * @param {(line: string) => void} log
 * @returns {string}
 */
export function provideWrk(machine, log) {
  const find = () => executables(machine.directories, ["wrk"])[0];
  const found = find();
  if (found !== undefined) return found;
  if (machine.canInstall) machine.install(["wrk"], log);
  const installed = find();
  if (installed !== undefined) return installed;
  throw new Refusal(
    "There is no wrk on this machine, which makes the load (Debian and Ubuntu: apt-get install wrk).",
  );
}
