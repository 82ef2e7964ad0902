/**
 * The torture: visitors ask, faults strike, and in the end all that was answered must be what one store of records
 * would have answered, and agree with what is there. The seed decides what the visitors ask and which faults strike
 * when; how the two meet is up to the machine, so a seed brings back a run's plan, and only mostly its course.
 */
import { setTimeout as pause } from "node:timers/promises";

import { type Buffer, openBuffer } from "../../src/buffer/buffer.ts";
import { checkHistory } from "../observed/check-history.ts";
import { Recorder } from "../observed/recorder.ts";
import type { Workspace } from "../support/workspace.ts";
import { Caller } from "./caller.ts";
import type { EngineKinds } from "./engines.ts";
import { FaultInjector } from "./faults.ts";
import { lookAtTheEnd } from "./last-look.ts";
import { Losses } from "./losses.ts";
import { Lulls } from "./lulls.ts";
import { Operator } from "./operator.ts";
import { Random } from "../support/random.ts";
import { refusalFaults } from "./refusal-faults.ts";
import { isRefused, refuseTexts, takeAllTexts } from "./refusals.ts";
import { System } from "./system.ts";
import type { TortureReport } from "./torture-report.ts";
import { Visitor } from "./visitor.ts";
import { World } from "./world.ts";

const visitorCount = 8;

/** Runs the torture for so long, and checks; throws only where it cannot be run at all. */
export async function torture(
  durationMs: number,
  seed: number,
  kinds: EngineKinds = { redis: "server", database: "mariadb" },
): Promise<TortureReport> {
  const system = await System.start(kinds);
  const buffer = await openBufferOf(system.workspace);
  try {
    const run = new Run(system, buffer, new Random(seed));
    const refusedHead = kinds.database === "mariadb" ? await refuseTexts(system.workspace) : "";
    await run.visitUnderFaults(durationMs, refusedHead);
    await takeAllTexts(system.workspace, refusedHead);
    return { seed, ...(await run.check()) };
  } finally {
    buffer.close();
    await system.close();
  }
}

async function openBufferOf({ config }: Workspace): Promise<Buffer> {
  const thresholds = { chats: config.flush.chatThreshold, messages: config.flush.messageThreshold };
  return openBuffer({ ...config.redis, limits: { ...config.buffer, thresholds } }, "draining");
}

/** All who take part in one torture. */
class Run {
  readonly #system: System;
  readonly #random: Random;
  readonly #recorder = new Recorder();
  readonly #injector: FaultInjector;
  readonly #lulls: Lulls;
  readonly #operator: Operator;
  readonly #notes = { causes: new Map<string, number>(), problems: [] as string[] };

  constructor(system: System, buffer: Buffer, random: Random) {
    const { workspace } = system;
    const losses = new Losses(workspace, buffer, this.#recorder);
    const others = [...system.disks.flatMap((disk) => losses.faultsOf(disk)), ...refusalFaults(system)];
    this.#system = system;
    this.#random = random;
    this.#injector = new FaultInjector(system, random.fork(), others, () => this.#recorder.answers);
    this.#lulls = new Lulls(buffer, workspace, this.#recorder, random.fork());
    this.#operator = new Operator(buffer, this.#recorder, random.fork());
  }

  async visitUnderFaults(durationMs: number, refusedHead: string): Promise<void> {
    const world = new World(this.#lulls, refusedHead);
    const everyone = Array.from({ length: visitorCount }, (_, nth) => this.#visitor(`v${nth}`, world));
    const [visitsEnd, faultsEnd] = [new AbortController(), new AbortController()];
    const visits = [...everyone, this.#lulls, this.#operator].map((one) => one.run(visitsEnd.signal));
    const faults = this.#injector.run(faultsEnd.signal);
    await pause(durationMs);
    faultsEnd.abort();
    // They go on until everything runs again: what comes back must also be fit to serve.
    await faults;
    visitsEnd.abort();
    await Promise.all(visits);
  }

  async check(): Promise<Omit<TortureReport, "seed">> {
    const caller = this.#caller();
    const { rows, problems } = await lookAtTheEnd(
      this.#system.workspace,
      this.#operator,
      caller,
      this.#recorder,
    );
    caller.close();
    await this.#system.stopSluice();
    const { logCounts: logs } = this.#system;
    const verdict = checkHistory(this.#recorder.history, isRefused);
    return {
      faults: this.#injector.counts,
      others: new Map([...this.#lulls.counts, ...this.#operator.counts]),
      operations: this.#recorder.counts,
      causes: this.#notes.causes,
      logs,
      rows,
      records: verdict.records,
      undecided: verdict.undecided,
      history: this.#recorder.history,
      problems: [
        ...this.#notes.problems,
        ...this.#operator.problems,
        ...problems,
        ...verdict.problems,
        ...[...logs.keys()].filter(isUnexpected),
      ],
    };
  }

  #visitor(name: string, world: World): Visitor {
    const parts = { caller: this.#caller(), recorder: this.#recorder, random: this.#random.fork() };
    return new Visitor(name, world, parts);
  }

  #caller(): Caller {
    return new Caller(() => this.#system.urls, this.#random.fork(), this.#notes);
  }
}

/** An error is what somebody must act on. Data were lost and records refused here; nothing else has happened. */
function isUnexpected(line: string): boolean {
  const isError = line.startsWith("error") || line.startsWith("fatal");
  const isOfALoss = line.includes("Redis has lost data");
  const isOfARefusal = line.includes("a record became a dead letter") && !/conflict|unreadable/.test(line);
  return isError && !isOfALoss && !isOfARefusal;
}
