import { createHash } from "node:crypto";

import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import { pino, symbols } from "pino";
import type { DestinationStream, Logger, LoggerOptions } from "pino";
import { PinoPretty } from "pino-pretty";
import type { LogLevel } from "./config.ts";

/**
 * The log and the metrics. Neither ever holds an application's token or the body of a message: a token is
 * the only credential of its application, and a body is its users' own.
 */

export type { Logger } from "pino";

const redacted = ["token", "body", "title", "password", "authorization", "cookie", "payload"];

/** How a log is written; `destination` defaults to standard output. */
export interface LogOptions {
  readonly level: LogLevel;
  /** Readable lines instead of JSON; by default where a person is looking, on a terminal. */
  readonly pretty?: boolean;
  readonly destination?: DestinationStream;
}

/** Builds a logger of JSON lines (or readable ones on a terminal), with whatever is secret taken out. */
export function createLogger({ level, pretty, destination }: LogOptions): Logger {
  const options: LoggerOptions = {
    level,
    base: null,
    timestamp: createTimestamps(),
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: redacted.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: "[redacted]" },
    serializers: { err: describeError, error: describeError },
  };
  if (pretty ?? (destination === undefined && process.stdout.isTTY)) {
    // In this thread and in step with the program: a worker would lose the last lines of a crash.
    return pino(options, PinoPretty({ sync: true, ...(destination && { destination }) }));
  }
  return pino(options, destination ?? gatherLines(pino.destination({ dest: 1, sync: true })));
}

/** What pino puts into a line for its time, put together once for all lines of a millisecond. */
function createTimestamps(): () => string {
  let [writtenMs, written] = [Number.NaN, ""];
  return () => {
    const nowMs = Date.now();
    if (nowMs !== writtenMs) [writtenMs, written] = [nowMs, `,"time":"${new Date(nowMs).toISOString()}"`];
    return written;
  };
}

/** At this level and above a line is not kept back. */
const urgentLevel = 40;

/** What every logger of the process still has to write when it ends. */
const atExit = new Set<() => void>();
process.on("exit", () => {
  for (const flush of atExit) flush();
});

/**
 * Writes what is logged within a turn of the event loop in one step. A process that is killed loses at most the
 * lines of that turn, none of them a warning or an error; one that ends by itself, or by a fault, loses none.
 */
function gatherLines(output: DestinationStream): DestinationStream {
  let lines = "";
  const flush = () => {
    if (lines === "") return;
    const gathered = lines;
    lines = "";
    output.write(gathered);
  };
  atExit.add(flush);
  return {
    // Asks the library to note the level of each line here.
    [symbols.needsMetadataGsym]: true,
    lastLevel: 0,
    write(line: string) {
      if (lines === "") setImmediate(flush);
      lines += line;
      if (this.lastLevel >= urgentLevel) flush();
    },
  } as DestinationStream & { readonly lastLevel: number };
}

interface ErrorDescription {
  readonly type: string;
  readonly code?: string;
  /** The server's own number: the driver has no code for those of every server. */
  readonly errno?: number;
  readonly message?: string;
  readonly stack?: string;
  readonly cause?: ErrorDescription;
}

const maxMessageLength = 500;
const maxCauses = 3;

/**
 * What of an error may be logged: members named here and no others. Drivers hang statements and arguments
 * on their errors, and put them into the message; there the code has to do.
 */
function describeError(error: unknown, depth = 0): ErrorDescription {
  if (!(error instanceof Error)) return { type: typeof error };
  const code = codeOf(error);
  const frames = error.stack?.match(/^ {4}at .*$/gm)?.join("\n");
  return {
    type: error.name,
    ...(code !== undefined && { code }),
    ...("errno" in error && typeof error.errno === "number" && { errno: error.errno }),
    ...(!quotesData(error) && { message: messageOf(error) }),
    ...(frames !== undefined && { stack: frames }),
    ...(error.cause !== undefined && depth < maxCauses && { cause: describeError(error.cause, depth + 1) }),
  };
}

function codeOf(error: Error): string | undefined {
  if (isReply(error)) return /^[A-Z]+/.exec(error.message)?.[0];
  return "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** What Redis answered: a word and a sentence, and of a command that it does not know the arguments. */
const isReply = (error: Error) => error.name === "ReplyError";
const messageOf = (error: Error) =>
  (isReply(error) ? error.message.replace(/,? with args beginning.*/s, "") : error.message).slice(
    0,
    maxMessageLength,
  );

/** The marks that database and Redis drivers leave on errors about a statement. */
const quotesData = (error: Error) => "sql" in error || ("command" in error && !isReply(error));

/** Tells one application from another without telling its token. */
export function applicationFingerprint(token: string): string {
  return createHash("sha256").update(token).digest("hex").slice(0, 8);
}

/** What a metric is called and what it says; the name carries its unit. */
export interface MetricOptions<Label extends string> {
  readonly name: string;
  readonly help: string;
  /** Only labels with few values: never a token, an address or a path as it was sent. */
  readonly labels?: readonly Label[];
}

/** One program's metrics, those of its process included unless told otherwise. Every part registers its own through this. */
export class Metrics {
  readonly #registry = new Registry();

  constructor({ aboutProcess = true }: { aboutProcess?: boolean } = {}) {
    if (aboutProcess) collectDefaultMetrics({ register: this.#registry });
  }

  counter<Label extends string = never>(options: MetricOptions<Label>): Counter<Label> {
    return new Counter({ ...this.#common(options) });
  }

  /** A value that goes up and down; `collect` sets it anew each time the metrics are read. */
  gauge<Label extends string = never>(
    options: MetricOptions<Label> & { collect?: (gauge: Gauge<Label>) => void | Promise<void> },
  ): Gauge<Label> {
    const { collect } = options;
    return new Gauge({
      ...this.#common(options),
      ...(collect && {
        collect(this: Gauge<Label>) {
          return collect(this);
        },
      }),
    });
  }

  histogram<Label extends string = never>(
    options: MetricOptions<Label> & { buckets: number[] },
  ): Histogram<Label> {
    return new Histogram({ ...this.#common(options), buckets: options.buckets });
  }

  /** A histogram that is counted elsewhere: `read` is asked for its counts each time the metrics are read. */
  countedElsewhere(options: MetricOptions<never> & { buckets: readonly number[]; read: () => Counts }): void {
    const { name, help, buckets, read } = options;
    const get = () =>
      Promise.resolve({ name, help, type: "histogram", values: countValues(name, buckets, read()) });
    // The library's classes count for themselves; its registry only asks for a name and for `get`.
    this.#registry.registerMetric({ name, get } as unknown as Histogram);
  }

  /** All of it in the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** All of it as data, to be added to that of other processes. */
  values(): Promise<object[]> {
    return this.#registry.getMetricsAsJSON();
  }

  #common<Label extends string>({ name, help, labels = [] }: MetricOptions<Label>) {
    return { name, help, labelNames: labels, registers: [this.#registry] };
  }
}

/** What a histogram has counted: for each bucket, and last for all, the observations up to its bound. */
export interface Counts {
  readonly cumulative: readonly number[];
  readonly sum: number;
}

function countValues(name: string, buckets: readonly number[], { cumulative, sum }: Counts) {
  const bounds = [...buckets.map(String), "+Inf"];
  const values = bounds.map((le, at) => ({
    metricName: `${name}_bucket`,
    labels: { le },
    value: cumulative[at] ?? 0,
  }));
  const all = cumulative.at(-1) ?? 0;
  return [
    ...values,
    { metricName: `${name}_sum`, labels: {}, value: sum },
    { metricName: `${name}_count`, labels: {}, value: all },
  ];
}
