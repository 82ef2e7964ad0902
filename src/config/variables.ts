import { z } from "zod";

import { cronExpression, flag, integer, jobCron, oneOf, text, variable, word, wordsOf } from "./kinds.ts";
import { parseRedisAddress, RedisAddressError } from "../redis-address.ts";

/*
 * Every variable of the environment: what it takes, its default, and what it means. The last is said here alone:
 * `npm run docs` makes docs/configuration.md of it, and a test holds the comments of .env to it.
 */

const mebibyte = 1024 * 1024;

const redisUrl = z
  .string({ error: "is required: the address of a Redis, for example redis://127.0.0.1:6379" })
  .superRefine((url, context) => {
    try {
      parseRedisAddress(url);
    } catch (error) {
      if (!(error instanceof RedisAddressError)) throw error;
      context.addIssue({ code: "custom", message: error.message });
    }
  });

const elasticsearchUrl = z
  .string()
  .refine(
    (url) => /^https?:\/\//.test(url) && URL.canParse(url),
    "must be a whole URL that begins with http:// or https://",
  );

const searchEngines = ["elasticsearch", "mysql"] as const;
const logLevels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/** By what they are about, in the order in which people read them. */
export const sections = {
  "The API": {
    HOST: text("127.0.0.1", "Address the API listens on; docker compose sets 0.0.0.0."),
    PORT: integer(
      0,
      65_535,
      3000,
      "Port the API listens on; under docker compose, the port published on the host.",
    ),
    WEB_CONCURRENCY: integer(
      1,
      256,
      1,
      "Processes of the API, which share its port; as many as it may use processors.",
    ),
    TRUSTED_PROXIES: integer(
      0,
      32,
      0,
      "Proxies in front of the API whose X-Forwarded-For entry may be believed; 0 believes none.",
    ),
    RATE_LIMIT_PER_MINUTE: integer(
      0,
      1_000_000_000,
      100,
      "Requests a client address may make in a minute; 0 turns the limit off.",
    ),
    MESSAGE_MAX_BYTES: integer(1, 8 * mebibyte, 64 * 1024, "Largest message body, bytes of UTF-8."),
  },
  Redis: {
    REDIS_URL: variable(redisUrl, {
      meaning:
        "Redis, as redis://, rediss:// (TLS) or unix://; nodes of a Redis Cluster, with commas between them; or redis+sentinel://host,host/0?name=mymaster. Empty: npm start runs a private one.",
      takes: "a URL; required but for npm start",
      fallback: "",
    }),
    REDIS_NAMESPACE: word(
      /^[\w-]{1,64}$/,
      "1 to 64 letters, digits, hyphens or underscores",
      "sluice",
      "Begins every key, so that several installations can share a Redis.",
    ),
    PARTITIONS: integer(
      1,
      1024,
      1,
      "Parts the buffer is divided into, each drained on its own; fixed with the first start, changed by sluice repartition.",
    ),
  },
  "MySQL or MariaDB": {
    DATABASE_HOST: text(
      "127.0.0.1",
      "MySQL or MariaDB. Empty: npm start runs a private one, and the other DATABASE settings do not count.",
    ),
    DATABASE_PORT: integer(1, 65_535, 3306, "Port of the database server."),
    DATABASE_NAME: word(
      /^\w{1,64}$/,
      "1 to 64 letters, digits or underscores",
      "sluice",
      "Name of the database; sluice migrate makes it where it is missing.",
    ),
    DATABASE_USERNAME: text("root", "User of the database."),
    DATABASE_PASSWORD: text("", "Password of that user."),
    DATABASE_SOCKET: variable(z.string().optional(), {
      meaning:
        "Unix socket of the database server, used instead of host and port; npm start wants DATABASE_HOST set as well.",
      takes: "a path",
      fallback: "",
    }),
  },
  Search: {
    SEARCH: variable(z.enum(searchEngines).optional(), {
      meaning: "What answers searches: elasticsearch or mysql. Empty: Elasticsearch where there is one.",
      takes: wordsOf(searchEngines),
      fallback: "",
    }),
    ELASTICSEARCH_URL: variable(elasticsearchUrl.optional(), {
      meaning:
        "Elasticsearch 9, as http:// or https://, with name and password where it asks for them. Empty: npm start runs a private one if npm run fetch:elasticsearch has fetched it.",
      takes: "a URL",
      fallback: "",
    }),
  },
  Flushing: {
    CHAT_QUEUE_THRESHOLD: integer(1, 1_000_000, 10, "Pending chats at which the flusher is woken."),
    MESSAGE_QUEUE_THRESHOLD: integer(1, 1_000_000, 10, "Pending messages at which the flusher is woken."),
    FLUSH_CRON: cronExpression(
      "* * * * *",
      "When everything pending is flushed whatever its number: a cron expression, in UTC.",
    ),
    FLUSH_MAX_ROWS: integer(1, 5000, 1000, "Most rows of one INSERT."),
  },
  "Scheduled work": {
    COUNTS_CRON: jobCron(
      "0 * * * *",
      "When the counts of chats and messages are recomputed where rows changed: a cron expression, in UTC, or off.",
    ),
    BACKUP_CRON: jobCron("30 * * * *", "When a snapshot of Redis is written to BACKUP_DIR, likewise."),
    CLEANUP_CRON: jobCron("45 3 * * *", "When old backups are removed, likewise."),
    BACKUP_DIR: text(
      "backups",
      "Folder of the backups, made where it is missing; best on another disk than Redis'.",
    ),
    BACKUP_KEEP_HOURS: integer(
      1,
      1_000_000,
      24,
      "Hours after which a backup is removed; the latest three good ones stay.",
    ),
  },
  "The buffer": {
    BUFFER_MAX_RECORDS: integer(
      1,
      1_000_000_000,
      1_000_000,
      "Most pending records of a partition; beyond it the answer is 503.",
    ),
    BUFFER_MAX_BYTES: integer(
      1024,
      1024 ** 4,
      1024 * mebibyte,
      "Most bytes of pending records of a partition; beyond it the answer is 503.",
    ),
    NUMBER_GAP_AFTER_LOSS: integer(
      0,
      1_000_000_000,
      1000,
      "Numbers that each parent leaves out after Redis lost data; best above what one is given between two flushes.",
    ),
  },
  "The dashboard": {
    OPS_USERNAME: text(
      "",
      "Who may use the dashboard at /ops; with both empty it answers this machine only.",
    ),
    OPS_PASSWORD: text(
      "",
      "Password for the dashboard; a long random one, as whoever has it can read and discard dead letters.",
    ),
    OPS_READ_ONLY: flag("true: the dashboard only shows, and changes nothing."),
  },
  "The log": {
    LOG_LEVEL: oneOf(logLevels, "info", `Least level that is logged: ${wordsOf(logLevels)}.`),
  },
};

/** Each by its name. */
export const variables = z.object({
  ...sections["The API"],
  ...sections.Redis,
  ...sections["MySQL or MariaDB"],
  ...sections.Search,
  ...sections.Flushing,
  ...sections["Scheduled work"],
  ...sections["The buffer"],
  ...sections["The dashboard"],
  ...sections["The log"],
});
