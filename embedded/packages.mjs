import { spawnSync } from "node:child_process";
import { Refusal } from "./refusal.mjs";

/**
 * Installs Debian packages, having said so. The ones Sluice asks for hold the server programs and start no
 * service. Throws a `Refusal` with apt's own words when that fails.
 *
 * @param {string[]} packages
 * @param {(line: string) => void} log
 */
export function installPackages(packages, log) {
  log(`installing ${packages.join(" and ")} with apt-get (programs only, no service is started)`);
  // A failed update need not matter: the lists at hand may do.
  const update = apt("update");
  const install = apt("install", "-y", "--no-install-recommends", ...packages.map(available));
  if (install.status === 0) return;
  const words = `${update.status === 0 ? "" : update.stderr}${install.stderr}${install.error?.message ?? ""}`;
  throw new Refusal(`apt-get could not install ${packages.join(" and ")}:\n${words.trim()}`);
}

/** @param {string[]} args */
function apt(...args) {
  return spawnSync("apt-get", ["-o", "DPkg::Lock::Timeout=300", "-q", ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
}

/**
 * Older releases have a package only under a name with its version, as mariadb-server-core-10.6.
 *
 * @param {string} name
 */
function available(name) {
  const search = spawnSync("apt-cache", ["search", "--names-only", `^${name}(-[0-9.]+)?$`], {
    encoding: "utf8",
  });
  const names = search.stdout.split("\n").map((line) => line.split(" ")[0] ?? "");
  return names.includes(name) ? name : (names.find((candidate) => candidate.startsWith(name)) ?? name);
}
