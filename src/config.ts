import { type LogLevel, variables } from "./config/variables.ts";

export type { LogLevel } from "./config/variables.ts";

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
