import { validate } from "node-cron";
import { z } from "zod";

/**
 * The environment, checked once and frozen. Nothing else in `src/` reads `process.env`: what a part needs
 * it is handed, so that a test can hand it something else.
 */
export interface Config {
  readonly http: {
    readonly host: string;
    readonly port: number;
    /** Hops in front of the API whose `X-Forwarded-For` entry may be believed; 0 believes none. */
    readonly trustedProxies: number;
    /** Processes of an API that share its port. */
    readonly workers: number;
    /** Requests a client address may make in a minute; 0 turns the limit off. */
    readonly rateLimitPerMinute: number;
    readonly messageMaxBytes: number;
  };
  readonly redis: {
    readonly url: string;
    /** Begins every key, so that several installations can share a Redis. */
    readonly namespace: string;
    readonly partitions: number;
  };
  readonly database: {
    readonly host: string;
    readonly port: number;
    readonly name: string;
    readonly username: string;
    readonly password: string;
    /** A Unix socket, used instead of host and port when it is set. */
    readonly socketPath: string | undefined;
  };
  readonly search: {
    /** Where searches are answered; without it MySQL does. May hold a name and a password. */
    readonly elasticsearchUrl: string | undefined;
  };
  readonly flush: {
    readonly chatThreshold: number;
    readonly messageThreshold: number;
    readonly cron: string;
    readonly maxRows: number;
  };
  readonly jobs: {
    /** Cron expressions in UTC; absent where a job is off. */
    readonly countsCron: string | undefined;
    readonly backupCron: string | undefined;
    readonly cleanupCron: string | undefined;
    readonly backupDirectory: string;
    readonly backupKeepHours: number;
  };
  readonly buffer: {
    readonly maxRecords: number;
    readonly maxBytes: number;
    /** Numbers left out where Redis lost data and may have given some that nobody knows any more. */
    readonly numberGapAfterLoss: number;
  };
  readonly ops: {
    /** Who may use the dashboard; without them it answers this machine only. */
    readonly credentials: { readonly username: string; readonly password: string } | undefined;
    /** Whether the dashboard only shows, and changes nothing. */
    readonly isReadOnly: boolean;
  };
  readonly logLevel: LogLevel;
}

const logLevels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

const mebibyte = 1024 * 1024;

/** An absent variable and an empty one mean the same: the default. */
const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === "" ? undefined : value), schema);

const integer = (minimum: number, maximum: number, fallback: number) =>
  optional(
    z
      .string()
      .regex(/^\d+$/, "must be a whole number")
      .transform(Number)
      .pipe(z.number().min(minimum).max(maximum))
      .default(fallback),
  );

const text = (fallback: string) => optional(z.string().default(fallback));

const flag = () =>
  optional(
    z
      .enum(["true", "false", "1", "0"], { error: "must be true or false" })
      .default("false")
      .transform((value) => value === "true" || value === "1"),
  );

const cronExpression = (fallback: string) =>
  optional(
    z
      .string()
      .refine((expression) => validate(expression), "must be a cron expression of five or six fields")
      .default(fallback),
  );

/** A job's schedule, or `off`. */
const jobCron = (fallback: string) =>
  optional(
    z
      .string()
      .refine(
        (expression) => expression === "off" || validate(expression),
        "must be a cron expression of five or six fields, or off",
      )
      .default(fallback)
      .transform((expression) => (expression === "off" ? undefined : expression)),
  );

const redisUrl = z
  .string({ error: "is required: the address of a Redis, for example redis://127.0.0.1:6379" })
  .regex(/^(rediss?|unix):\/\//, "must begin with redis://, rediss:// or unix://")
  .refine((url) => URL.canParse(url), "must be a whole URL, its port a number");

const elasticsearchUrl = z
  .string()
  .refine(
    (url) => /^https?:\/\//.test(url) && URL.canParse(url),
    "must be a whole URL that begins with http:// or https://",
  );

const variables = z.object({
  HOST: text("127.0.0.1"),
  PORT: integer(0, 65_535, 3000),
  WEB_CONCURRENCY: integer(1, 256, 1),
  TRUSTED_PROXIES: integer(0, 32, 0),
  RATE_LIMIT_PER_MINUTE: integer(0, 1_000_000_000, 100),
  MESSAGE_MAX_BYTES: integer(1, 8 * mebibyte, 64 * 1024),
  REDIS_URL: optional(redisUrl),
  REDIS_NAMESPACE: optional(
    z
      .string()
      .regex(/^[\w-]{1,64}$/, "must be 1 to 64 letters, digits, hyphens or underscores")
      .default("sluice"),
  ),
  PARTITIONS: integer(1, 1024, 1),
  DATABASE_HOST: text("127.0.0.1"),
  DATABASE_PORT: integer(1, 65_535, 3306),
  DATABASE_NAME: optional(
    z
      .string()
      .regex(/^\w{1,64}$/, "must be 1 to 64 letters, digits or underscores")
      .default("sluice"),
  ),
  DATABASE_USERNAME: text("root"),
  DATABASE_PASSWORD: text(""),
  DATABASE_SOCKET: optional(z.string().optional()),
  SEARCH: optional(z.enum(["elasticsearch", "mysql"]).optional()),
  ELASTICSEARCH_URL: optional(elasticsearchUrl.optional()),
  CHAT_QUEUE_THRESHOLD: integer(1, 1_000_000, 10),
  MESSAGE_QUEUE_THRESHOLD: integer(1, 1_000_000, 10),
  FLUSH_CRON: cronExpression("* * * * *"),
  COUNTS_CRON: jobCron("0 * * * *"),
  BACKUP_CRON: jobCron("30 * * * *"),
  CLEANUP_CRON: jobCron("45 3 * * *"),
  BACKUP_DIR: text("backups"),
  BACKUP_KEEP_HOURS: integer(1, 1_000_000, 24),
  FLUSH_MAX_ROWS: integer(1, 5000, 1000),
  BUFFER_MAX_RECORDS: integer(1, 1_000_000_000, 1_000_000),
  BUFFER_MAX_BYTES: integer(1024, 1024 ** 4, 1024 * mebibyte),
  NUMBER_GAP_AFTER_LOSS: integer(0, 1_000_000_000, 1000),
  OPS_USERNAME: text(""),
  OPS_PASSWORD: text(""),
  OPS_READ_ONLY: flag(),
  LOG_LEVEL: optional(z.enum(logLevels).default("info")),
});

const environment = variables
  .refine(({ SEARCH, ELASTICSEARCH_URL }) => SEARCH !== "elasticsearch" || ELASTICSEARCH_URL !== undefined, {
    path: ["ELASTICSEARCH_URL"],
    error: "is required by SEARCH=elasticsearch: for example http://127.0.0.1:9200",
  })
  .refine((values) => (values.OPS_USERNAME === "") === (values.OPS_PASSWORD === ""), {
    path: ["OPS_USERNAME"],
    message: "and OPS_PASSWORD must both be set, or neither",
  });

/** Thrown when the environment is unusable; `faults` names every variable that is wrong, one line each. */
export class ConfigError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`The environment is unusable:\n${faults.map((fault) => `  ${fault}`).join("\n")}`);
    this.name = "ConfigError";
    this.faults = faults;
  }
}

/**
 * Reads and checks the whole environment.
 *
 * @throws {ConfigError} naming everything that is wrong at once, so that one restart mends it all.
 */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`));
  }
  const values = parsed.data;
  return deepFreeze({
    http: {
      host: values.HOST,
      port: values.PORT,
      workers: values.WEB_CONCURRENCY,
      trustedProxies: values.TRUSTED_PROXIES,
      rateLimitPerMinute: values.RATE_LIMIT_PER_MINUTE,
      messageMaxBytes: values.MESSAGE_MAX_BYTES,
    },
    redis: { url: values.REDIS_URL, namespace: values.REDIS_NAMESPACE, partitions: values.PARTITIONS },
    database: {
      host: values.DATABASE_HOST,
      port: values.DATABASE_PORT,
      name: values.DATABASE_NAME,
      username: values.DATABASE_USERNAME,
      password: values.DATABASE_PASSWORD,
      socketPath: values.DATABASE_SOCKET,
    },
    search: { elasticsearchUrl: values.SEARCH === "mysql" ? undefined : values.ELASTICSEARCH_URL },
    flush: {
      chatThreshold: values.CHAT_QUEUE_THRESHOLD,
      messageThreshold: values.MESSAGE_QUEUE_THRESHOLD,
      cron: values.FLUSH_CRON,
      maxRows: values.FLUSH_MAX_ROWS,
    },
    jobs: {
      countsCron: values.COUNTS_CRON,
      backupCron: values.BACKUP_CRON,
      cleanupCron: values.CLEANUP_CRON,
      backupDirectory: values.BACKUP_DIR,
      backupKeepHours: values.BACKUP_KEEP_HOURS,
    },
    buffer: {
      maxRecords: values.BUFFER_MAX_RECORDS,
      maxBytes: values.BUFFER_MAX_BYTES,
      numberGapAfterLoss: values.NUMBER_GAP_AFTER_LOSS,
    },
    ops: {
      credentials:
        values.OPS_PASSWORD === ""
          ? undefined
          : { username: values.OPS_USERNAME, password: values.OPS_PASSWORD },
      isReadOnly: values.OPS_READ_ONLY,
    },
    logLevel: values.LOG_LEVEL,
  });
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === "object" && inner !== null) deepFreeze(inner as object);
  }
  return Object.freeze(value);
}
