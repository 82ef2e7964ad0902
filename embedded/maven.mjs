import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import path from "node:path";
import { Refusal } from "./refusal.mjs";

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {string | undefined} the command
 */
export function findMaven(env) {
  const homes = [env["MAVEN_HOME"], env["M2_HOME"]].flatMap((home) => (home ? [path.join(home, "bin")] : []));
  const onPath = (env["PATH"] ?? "").split(path.delimiter);
  const folders = [...homes, ...onPath].filter((folder) => path.isAbsolute(folder));
  return folders.map((folder) => path.join(folder, "mvn")).find(isExecutable);
}

/**
 * Fetches an artifact and unpacks some of it into `folder`, where Maven's own copies go as well, so that no trace
 * of it is left elsewhere. Throws a `Refusal` with Maven's own words when that fails.
 *
 * @param {string} maven
 * @param {{ artifact: string, includes: string, folder: string, env: NodeJS.ProcessEnv }} options
 */
export function unpackArtifact(maven, { artifact, includes, folder, env }) {
  const args = [
    // Quiet, asking nobody, and refusing what does not have its checksum.
    ...["-q", "-B", "-C"],
    `-Dmaven.repo.local=${path.join(folder, "repository")}`,
    "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack",
    `-Dartifact=${artifact}`,
    `-DoutputDirectory=${folder}`,
    `-Dmdep.unpack.includes=${includes}`,
  ];
  // Without a project Maven leaves rubbish in the folder it is run in.
  const { status, stdout, stderr, error } = spawnSync(maven, args, { cwd: folder, env, encoding: "utf8" });
  if (status === 0) return;
  const words = `${stdout}${stderr}`.trim().split("\n").slice(0, 10).join("\n");
  throw new Refusal(`Maven could not fetch ${artifact}:\n${error?.message ?? words}`);
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
