import { expect } from "chai";

import { type Config, ConfigError, loadConfig } from "../src/config.ts";

const least = { REDIS_URL: "redis://127.0.0.1:6379" };

/** Every variable, with a value other than its default. */
const full = {
  HOST: "0.0.0.0",
  PORT: "8080",
  WEB_CONCURRENCY: "3",
  TRUSTED_PROXIES: "2",
  RATE_LIMIT_PER_MINUTE: "0",
  MESSAGE_MAX_BYTES: "1024",
  REDIS_URL: "rediss://user:secret@redis.example:6380/2",
  REDIS_NAMESPACE: "chat-1",
  PARTITIONS: "4",
  DATABASE_HOST: "db.example",
  DATABASE_PORT: "3307",
  DATABASE_NAME: "chat",
  DATABASE_USERNAME: "chat",
  DATABASE_PASSWORD: " kept as it is ",
  DATABASE_SOCKET: "/run/mysqld.sock",
  SEARCH: "elasticsearch",
  ELASTICSEARCH_URL: "https://user:secret@search.example:9243",
  CHAT_QUEUE_THRESHOLD: "5",
  MESSAGE_QUEUE_THRESHOLD: "6",
  FLUSH_CRON: "*/5 * * * * *",
  FLUSH_MAX_ROWS: "500",
  COUNTS_CRON: "15 * * * *",
  BACKUP_CRON: "off",
  CLEANUP_CRON: "0 0 * * 0",
  BACKUP_DIR: "/var/backups/sluice",
  BACKUP_KEEP_HOURS: "48",
  BUFFER_MAX_RECORDS: "1000",
  BUFFER_MAX_BYTES: "2048",
  NUMBER_GAP_AFTER_LOSS: "77",
  OPS_USERNAME: "operator",
  OPS_PASSWORD: "ops secret",
  OPS_READ_ONLY: "true",
  LOG_LEVEL: "debug",
};

function faultsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

function everyObjectIn(value: object): object[] {
  const inner = Object.values(value).filter((member) => typeof member === "object" && member !== null);
  return [value, ...inner.flatMap((member) => everyObjectIn(member as object))];
}

describe("The configuration", () => {
  it("has a default for everything but the address of Redis", () => {
    expect(loadConfig(least)).to.deep.equal({
      http: {
        host: "127.0.0.1",
        port: 3000,
        workers: 1,
        trustedProxies: 0,
        rateLimitPerMinute: 100,
        messageMaxBytes: 65_536,
      },
      redis: { url: "redis://127.0.0.1:6379", namespace: "sluice", partitions: 1 },
      database: {
        host: "127.0.0.1",
        port: 3306,
        name: "sluice",
        username: "root",
        password: "",
        socketPath: undefined,
      },
      search: { elasticsearchUrl: undefined },
      flush: { chatThreshold: 10, messageThreshold: 10, cron: "* * * * *", maxRows: 1000 },
      jobs: {
        countsCron: "0 * * * *",
        backupCron: "30 * * * *",
        cleanupCron: "45 3 * * *",
        backupDirectory: "backups",
        backupKeepHours: 24,
      },
      buffer: { maxRecords: 1_000_000, maxBytes: 1024 ** 3, numberGapAfterLoss: 1000 },
      ops: { credentials: undefined, isReadOnly: false },
      logLevel: "info",
    } satisfies Config);
  });

  it("takes every variable from the environment", () => {
    const { http, redis, database, search, flush, buffer, ops, logLevel } = loadConfig(full);
    expect(http).to.deep.include({
      host: "0.0.0.0",
      port: 8080,
      workers: 3,
      trustedProxies: 2,
      rateLimitPerMinute: 0,
    });
    expect(http.messageMaxBytes).to.equal(1024);
    expect(redis).to.deep.equal({ url: full.REDIS_URL, namespace: "chat-1", partitions: 4 });
    expect(database).to.deep.include({ host: "db.example", port: 3307, name: "chat", username: "chat" });
    expect(database).to.deep.include({ password: " kept as it is ", socketPath: "/run/mysqld.sock" });
    expect(search).to.deep.equal({ elasticsearchUrl: full.ELASTICSEARCH_URL });
    expect(flush).to.deep.equal({
      chatThreshold: 5,
      messageThreshold: 6,
      cron: "*/5 * * * * *",
      maxRows: 500,
    });
    expect(buffer).to.deep.equal({ maxRecords: 1000, maxBytes: 2048, numberGapAfterLoss: 77 });
    expect(ops).to.deep.equal({
      credentials: { username: "operator", password: "ops secret" },
      isReadOnly: true,
    });
    expect(logLevel).to.equal("debug");
  });

  it("takes an empty variable for an absent one", () => {
    const empty = Object.fromEntries(Object.keys(full).map((name) => [name, ""]));
    expect(loadConfig({ ...empty, ...least })).to.deep.equal(loadConfig(least));
  });

  it("names no Elasticsearch where MySQL is to answer searches", () => {
    expect(loadConfig({ ...full, SEARCH: "mysql" }).search.elasticsearchUrl).to.equal(undefined);
    expect(loadConfig({ ...full, SEARCH: "" }).search.elasticsearchUrl).to.equal(full.ELASTICSEARCH_URL);
  });

  it("refuses a name for the dashboard without a password, and a password without a name", () => {
    for (const name of ["OPS_USERNAME", "OPS_PASSWORD"]) {
      expect(faultsOf({ ...least, [name]: "x" })).to.deep.equal([
        "OPS_USERNAME and OPS_PASSWORD must both be set, or neither",
      ]);
    }
  });

  it("is frozen through and through", () => {
    const config = loadConfig(full);
    expect(everyObjectIn(config)).to.have.lengthOf(10);
    for (const part of everyObjectIn(config)) expect(part).to.be.frozen;
    expect(() => ((config.http as { port: number }).port = 1)).to.throw(TypeError);
  });

  it("reads each variable once, and hears of no change after that", () => {
    const reads = new Map<string, number>();
    const env = new Proxy<NodeJS.ProcessEnv>(
      { ...full },
      {
        get(target, name: string) {
          reads.set(name, (reads.get(name) ?? 0) + 1);
          return target[name];
        },
      },
    );
    const config = loadConfig(env);
    expect([...reads.keys()].sort()).to.deep.equal(Object.keys(full).sort());
    for (const [name, times] of reads) expect(times, name).to.equal(1);
    env["PORT"] = "9090";
    expect(config.http.port).to.equal(8080);
  });

  it("reads the environment it is given and no other", () => {
    process.env["FLUSH_MAX_ROWS"] = "7";
    try {
      expect(loadConfig(least).flush.maxRows).to.equal(1000);
    } finally {
      delete process.env["FLUSH_MAX_ROWS"];
    }
  });
});

describe("An unusable environment", () => {
  it("is refused with everything that is wrong at once, one line a variable", () => {
    const wrong: NodeJS.ProcessEnv = {
      PORT: "65536",
      WEB_CONCURRENCY: "0",
      TRUSTED_PROXIES: "many",
      RATE_LIMIT_PER_MINUTE: "-1",
      MESSAGE_MAX_BYTES: "1e3",
      REDIS_URL: "http://127.0.0.1",
      REDIS_NAMESPACE: "a{b}",
      PARTITIONS: "0",
      DATABASE_PORT: "33.06",
      DATABASE_NAME: "name; drop",
      SEARCH: "sphinx",
      ELASTICSEARCH_URL: "127.0.0.1:9200",
      CHAT_QUEUE_THRESHOLD: "0x10",
      MESSAGE_QUEUE_THRESHOLD: " 10",
      FLUSH_CRON: "hourly",
      FLUSH_MAX_ROWS: "5001",
      BUFFER_MAX_RECORDS: "0",
      BUFFER_MAX_BYTES: "1023",
      LOG_LEVEL: "loud",
    };
    const faults = faultsOf(wrong);
    expect(faults.map((fault) => fault.split(" ")[0]).sort()).to.deep.equal(Object.keys(wrong).sort());
    for (const fault of faults) expect(fault).to.match(/^[A-Z_]+ \S.* \S/);
  });

  it("names every fault in the error's message, which is what a person at the start sees", () => {
    const wrong = { PORT: "abc", LOG_LEVEL: "loud" };
    expect(() => loadConfig(wrong))
      .to.throw(ConfigError)
      .with.property("message")
      .that.matches(/PORT[^]*LOG_LEVEL|LOG_LEVEL[^]*PORT/)
      .and.matches(/REDIS_URL is required/);
  });

  it("is one in which Redis has no address, or an empty one", () => {
    for (const env of [{}, { REDIS_URL: "" }]) {
      expect(faultsOf(env)).to.have.lengthOf(1);
      expect(faultsOf(env)[0]).to.match(/^REDIS_URL is required/);
    }
  });

  it("is one whose schedule can never be kept", () => {
    for (const cron of ["61 * * * *", "a b c d e", "* * * * 9-1-2"]) {
      expect(faultsOf({ ...least, FLUSH_CRON: cron }), cron).to.have.lengthOf(1);
    }
  });

  it("is one whose address of Redis is none", () => {
    for (const url of ["redis://127.0.0.1:port", "redis://127.0.0.1:99999"]) {
      expect(faultsOf({ ...least, REDIS_URL: url }), url).to.have.lengthOf(1);
    }
  });

  it("is one in which the Elasticsearch that is asked for has no address, or none that can be", () => {
    expect(faultsOf({ ...least, SEARCH: "elasticsearch" })[0]).to.match(/^ELASTICSEARCH_URL is required/);
    for (const url of ["redis://127.0.0.1", "http://", "http://127.0.0.1:port", "http://127.0.0.1:99999"]) {
      expect(faultsOf({ ...least, ELASTICSEARCH_URL: url }), url).to.have.lengthOf(1);
    }
  });

  it("does not repeat a secret in its faults", () => {
    const secrets = {
      REDIS_URL: "http://:hunter2@host",
      DATABASE_PASSWORD: "hunter2",
      ELASTICSEARCH_URL: "http://user:hunter2@host:port",
    };
    const faults = faultsOf({ ...least, ...secrets });
    expect(faults.join("\n"))
      .to.include("REDIS_URL")
      .and.include("ELASTICSEARCH_URL")
      .and.not.include("hunter2");
  });
});
