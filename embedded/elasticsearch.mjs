import { pbkdf2Sync, randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import path from "node:path";
import { giveFolder, openPlace } from "./elasticsearch-place.mjs";
import { unprivilegedUser } from "./nobody.mjs";
import { answers } from "./ports.mjs";

/** @typedef {import("./engine.mjs").Engine} Engine */

const username = "sluice";

/**
 * A private Elasticsearch of one node. It is optional: an application whose Elasticsearch is away goes on without.
 *
 * @param {string} directory
 * @param {import("./elasticsearch-home.mjs").ElasticsearchBinary} binary
 * @param {NodeJS.ProcessEnv} env
 * @returns {Engine}
 */
export function elasticsearchEngine(directory, { home, javaHome }, env) {
  const place = openPlace(directory, env);
  const conf = path.join(place, "conf");
  const temporary = path.join(place, "tmp");
  const password = randomBytes(24).toString("hex");
  const java = path.join(javaHome, "bin", "java");
  return {
    name: "elasticsearch",
    optional: true,
    prepare() {
      for (const folder of [conf, temporary]) rmSync(folder, { recursive: true, force: true });
      giveFolder(path.join(place, "data"));
      giveFolder(temporary);
      return Promise.resolve();
    },
    program(port) {
      giveFolder(conf, configuration({ place, port, password }));
      return {
        command: java,
        args: [...launcherOptions, "-cp", path.join(home, "lib/tools/server-launcher/*"), launcher],
        // It looks for its modules where it is started.
        cwd: home,
        user: unprivilegedUser(),
        env: {
          ES_HOME: home,
          ES_PATH_CONF: conf,
          ES_TMPDIR: temporary,
          ES_DISTRIBUTION_TYPE: "zip",
          ES_JAVA_HOME: javaHome,
          JAVA_TYPE: "ES_JAVA_HOME",
          JAVA: java,
        },
      };
    },
    ready: (port) =>
      answers(port, healthRequest(password), (answer) =>
        answer.toString("latin1").startsWith("HTTP/1.1 200 "),
      ),
    addresses: (port) => ({ ELASTICSEARCH_URL: `http://${username}:${password}@127.0.0.1:${port}` }),
  };
}

// What bin/elasticsearch does; SonarQube leaves that out. The launcher starts the server and ends with it.
const launcher = "org.elasticsearch.server.launcher.ServerLauncher";
const launcherOptions = ["-Xms4m", "-Xmx64m", "-XX:+UseSerialGC", "-XX:-UsePerfData"];

/**
 * The files of the configuration folder. Logs go to the console alone, of which the session keeps a file.
 *
 * @param {{ place: string, port: number, password: string }} options
 */
function configuration({ place, port, password }) {
  return {
    "elasticsearch.yml": settings(place, port),
    "jvm.options": lines(
      "-Xms512m",
      "-Xmx512m",
      "-XX:+UseSerialGC",
      // It is to be there soon rather than to be fast in an hour.
      "-XX:TieredStopAtLevel=1",
      "-XX:-AlwaysPreTouch",
      "-XX:-UsePerfData",
      `-Djava.io.tmpdir=${path.join(place, "tmp")}`,
      // An index of roles, which nobody has need of here.
      "-Des.queryable_built_in_roles_enabled=false",
    ),
    "log4j2.properties": lines(
      "status = error",
      "appender.console.type = Console",
      "appender.console.name = console",
      "appender.console.layout.type = PatternLayout",
      "appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] %m%n",
      "rootLogger.level = info",
      "rootLogger.appenderRef.console.ref = console",
    ),
    users: lines(`${username}:${passwordHash(password)}`),
    users_roles: lines(`superuser:${username}`),
  };
}

/**
 * @param {string} place
 * @param {number} port
 */
function settings(place, port) {
  return lines(
    "cluster.name: sluice",
    "node.name: sluice",
    `path.data: ${JSON.stringify(path.join(place, "data"))}`,
    `path.logs: ${JSON.stringify(path.join(place, "tmp"))}`,
    "network.host: 127.0.0.1",
    `http.port: ${port}`,
    "transport.port: 0",
    "discovery.type: single-node",
    // It would refuse to write on a disk that is 95 % full.
    "cluster.routing.allocation.disk.threshold_enabled: false",
    "xpack.security.enabled: true",
    "xpack.security.autoconfiguration.enabled: false",
    "xpack.security.authc.password_hashing.algorithm: pbkdf2",
    "xpack.security.authc.reserved_realm.enabled: false",
    "xpack.security.authc.realms.file.private.order: 0",
    "xpack.security.authc.realms.native.none.order: 1",
    "xpack.security.authc.realms.native.none.enabled: false",
  );
}

/** In the form of Elasticsearch's file of users. @param {string} password */
function passwordHash(password) {
  const salt = randomBytes(32);
  const rounds = 10_000;
  const hash = pbkdf2Sync(password, salt, rounds, 32, "sha512");
  return `{PBKDF2}${rounds}$${salt.toString("base64")}$${hash.toString("base64")}`;
}

/** @param {string} password */
function healthRequest(password) {
  const credentials = Buffer.from(`${username}:${password}`).toString("base64");
  // Yellow is as good as it gets with replicas, of which one node can have none.
  const target = "/_cluster/health?wait_for_status=yellow&timeout=0s";
  const head = [`GET ${target} HTTP/1.1`, "Host: 127.0.0.1", `Authorization: Basic ${credentials}`];
  return `${head.join("\r\n")}\r\n\r\n`;
}

/** @param {string[]} all */
function lines(...all) {
  return `${all.join("\n")}\n`;
}
