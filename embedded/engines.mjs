import { provideBinaries, thisMachine } from "./binaries.mjs";
import { runEngine } from "./engine.mjs";
import { findElasticsearch } from "./elasticsearch-home.mjs";
import { elasticsearchEngine } from "./elasticsearch.mjs";
import { databaseEngine } from "./mariadb.mjs";
import { redisEngine } from "./redis.mjs";

/**
 * Which engines the environment gives no address for.
 *
 * @param {NodeJS.ProcessEnv} env
 */
export function wantedEngines(env) {
  return {
    redis: !env["REDIS_URL"],
    database: !env["DATABASE_HOST"] && !env["DATABASE_SOCKET"],
    elasticsearch: !env["ELASTICSEARCH_URL"] && env["SEARCH"] !== "mysql",
  };
}

/**
 * Starts the engines whose address the environment does not give. They answer when this returns, but for
 * Elasticsearch, which is started if it was fetched and takes some seconds longer.
 *
 * @param {{ env: NodeJS.ProcessEnv } & import("./engine.mjs").EngineOptions} options
 * @returns {Promise<{ addresses: Record<string, string>, stop: () => Promise<void> }>}
 */
export async function startEngines({ env, ...options }) {
  const wanted = wantedEngines(env);
  const binaries = provideBinaries(wanted, thisMachine(env), options.log);
  const engines = [
    ...(binaries.redis ? [redisEngine(options.directory, binaries.redis)] : []),
    ...(binaries.database ? [databaseEngine(options.directory, binaries.database)] : []),
    ...(wanted.elasticsearch ? fetchedElasticsearch(env, options) : []),
  ];
  const starts = await Promise.allSettled(engines.map((engine) => runEngine(engine, options)));
  const running = starts.filter((start) => start.status === "fulfilled").map((start) => start.value);
  const stop = async () => {
    await Promise.all(running.map((engine) => engine.stop()));
  };
  const failed = starts.find((start) => start.status === "rejected");
  if (failed) {
    await stop();
    throw failed.reason;
  }
  return { addresses: Object.assign({}, ...running.map((engine) => engine.addresses)), stop };
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {Pick<import("./engine.mjs").EngineOptions, "directory" | "log">} options
 */
function fetchedElasticsearch(env, { directory, log }) {
  const found = findElasticsearch(env);
  if (!("lack" in found)) return [elasticsearchEngine(directory, found, env)];
  log(`no Elasticsearch, so MySQL answers searches: ${found.lack} (npm run fetch:elasticsearch)`);
  return [];
}
