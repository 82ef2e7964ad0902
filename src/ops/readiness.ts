import type { Buffer } from "../buffer/buffer.ts";
import { type JobName, jobNames, type JobStatus } from "../buffer/job-runs.ts";
import type { SearchPing } from "../search/ping.ts";
import type { Store } from "../store/store.ts";
import { type Check, inTime, tooLate } from "./engine-check.ts";
import { checkDatabase } from "./database-check.ts";
import { checkRedis } from "./redis-check.ts";

/**
 * Looks at Redis and MySQL, within a second whatever they do. Without Redis nothing can be accepted; without
 * MySQL everything can: waiting it out is what the buffer is for, so it does not make the API unready. One without
 * the tables does, as that does not pass.
 */
export async function checkReadiness(
  buffer: Buffer,
  store: Store,
  verbose: boolean,
): Promise<readonly Check[]> {
  const [redis, database, jobs] = await Promise.all([
    checkRedis(buffer),
    checkDatabase(store),
    Promise.all(verbose ? jobNames.map((name) => checkJob(buffer, name)) : []),
  ]);
  return [redis, database, ...jobs];
}

/** Looks at Elasticsearch, where it is used: without it MySQL answers searches. */
export async function checkSearch(search: SearchPing | undefined): Promise<readonly Check[]> {
  if (!search) return [];
  const answer = await detailOf(search.ping().then(() => "answers"));
  return [{ name: "elasticsearch", ready: true, ...answer }];
}

/** A job that fails is for somebody to look at; the API works without it. */
async function checkJob(buffer: Buffer, name: JobName): Promise<Check> {
  const answer = await detailOf(buffer.jobs.status(name, 1).then(describeJob));
  return { name: `job ${name}`, ready: true, ...answer };
}

function describeJob({ isRunning, runs: [last], lastDoneAtMs }: JobStatus): string {
  if (!last) return isRunning ? "runs for the first time" : "has not run yet";
  const time = new Date(last.startedAtMs).toISOString();
  const done =
    last.outcome === "done" || lastDoneAtMs === undefined
      ? ""
      : `; last done ${new Date(lastDoneAtMs).toISOString()}`;
  return `${last.outcome} ${time}: ${last.detail}${done}`;
}

interface Answer {
  readonly answers: boolean;
  readonly detail: string;
}

async function detailOf(question: Promise<string | undefined>): Promise<Answer> {
  const answer = question.then(
    (detail) => ({ answers: true, detail: detail ?? "" }),
    () => ({ answers: false, detail: "does not answer" }),
  );
  return inTime(answer, { answers: false, detail: tooLate });
}
