import type { Worker } from "node:cluster";

import { AggregatorRegistry, type PrometheusContentType } from "prom-client";
import { z } from "zod";

import type { Metrics } from "../telemetry.ts";

/*
 * A scrape reaches one worker and must tell of all. That worker asks the primary process, which asks every worker
 * for its values, adds them up and answers with the text. Who does not answer in time counts as it last told, and
 * what a worker had counted stays in the sums when it is gone: a sum that fell would look to Prometheus like
 * counters that began anew, and their whole value like new requests.
 */

/** The primary waits so long for its workers, */
const collectWithinMs = 1000;
/** and a worker so long for the primary. */
const answerWithinMs = 2000;

const values = z.array(z.looseObject({ name: z.string(), type: z.string() }));
type Values = z.infer<typeof values>;

const workerMessage = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("metrics wanted"), id: z.number() }),
  z.object({ kind: z.literal("own metrics"), id: z.number(), values }),
]);
const primaryMessage = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("metrics asked"), id: z.number() }),
  z.object({ kind: z.literal("metrics of all"), id: z.number(), text: z.string() }),
]);

/**
 * In a worker: tells the primary its own values when asked. Answers how to get the text of all workers' metrics;
 * where the primary does not answer, it is this worker's own.
 */
export function shareMetrics(own: Metrics): () => Promise<string> {
  const waiting = new Map<number, (text: string) => void>();
  let asked = 0;
  process.on("message", (message) => {
    const { data } = primaryMessage.safeParse(message);
    if (data?.kind === "metrics of all") waiting.get(data.id)?.(data.text);
    if (data?.kind === "metrics asked") {
      void own.values().then((found) => {
        tell({ kind: "own metrics", id: data.id, values: found });
      });
    }
  });
  return async () => {
    const id = (asked += 1);
    const text = await within<string>(answerWithinMs, (resolve) => {
      waiting.set(id, resolve);
      tell({ kind: "metrics wanted", id });
    });
    waiting.delete(id);
    return text ?? own.text();
  };
}

/** To the primary; one that is gone has closed the channel, and this process ends. */
function tell(message: object): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

/** In the primary process: the metrics of all workers. */
export class WorkersMetrics {
  readonly #workers = new Map<Worker, Values>();
  /** What workers had counted that are gone. */
  #ofTheGone: readonly object[] = [];
  readonly #collecting = new Map<number, (worker: Worker) => void>();
  #collected = 0;

  /** Takes a worker in that was just started; from then on it may ask. */
  add(worker: Worker): void {
    this.#workers.set(worker, []);
    worker.on("message", (message) => {
      const { data } = workerMessage.safeParse(message);
      if (data?.kind === "own metrics") {
        if (this.#workers.has(worker)) this.#workers.set(worker, data.values);
        this.#collecting.get(data.id)?.(worker);
      }
      if (data?.kind === "metrics wanted") void this.#answer(worker, data.id);
    });
    worker.once("exit", () => {
      this.#retire(worker);
    });
  }

  async #answer(worker: Worker, id: number): Promise<void> {
    await this.#collect();
    const text = await sumOf([this.#ofTheGone, ...this.#workers.values()]).metrics();
    if (worker.isConnected()) worker.send({ kind: "metrics of all", id, text });
  }

  /** Resolves when every worker has told its values, or had the time to. */
  async #collect(): Promise<void> {
    const id = (this.#collected += 1);
    const missing = new Set([...this.#workers.keys()].filter((worker) => worker.isConnected()));
    await within<undefined>(collectWithinMs, (resolve) => {
      this.#collecting.set(id, (worker) => {
        missing.delete(worker);
        if (missing.size === 0) resolve(undefined);
      });
      for (const worker of missing) worker.send({ kind: "metrics asked", id });
    });
    this.#collecting.delete(id);
  }

  /** Keeps what it counted, and forgets what it was. */
  #retire(worker: Worker): void {
    const counted = (this.#workers.get(worker) ?? []).filter(({ type }) => type !== "gauge");
    this.#workers.delete(worker);
    this.#ofTheGone = sumOf([this.#ofTheGone, counted]).getMetricsAsArray();
  }
}

const sumOf = (metrics: object[]) => AggregatorRegistry.aggregate<PrometheusContentType>(metrics);

/** What `begin` resolves with, or nothing when it has not by then. */
function within<T>(limitMs: number, begin: (resolve: (value: T) => void) => void): Promise<T | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve(undefined);
    }, limitMs);
    begin((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
