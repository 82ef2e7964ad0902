/** The simulated system: its processes, which come back when they are gone, and what befalls its engines. */
import type { FlushLog } from "../../src/flusher/ports.ts";
import { doubt } from "./doubt.ts";
import type { Model } from "./model.ts";
import type { MysqlCopy } from "./mysql-server.ts";
import type { EngineFault, Plan } from "./plan.ts";
import {
  type Api,
  isContention,
  isWake,
  type Parts,
  runCounts,
  type RunningFlusher,
  startApi,
  startFlusher,
} from "./product.ts";
import { contentsOf, isIndexSettled, isKeptAlive } from "./product-contents.ts";
import type { RedisCopy } from "./redis-server.ts";
import type { Stage } from "./stage.ts";
import { type EngineName, Steps } from "./steps.ts";
import { SimProcess, Task, type World } from "./world.ts";

/** One of the system's processes: whoever is it at a time. */
interface Slot<T> {
  readonly name: string;
  readonly skewMs: number;
  process: SimProcess;
  running: T;
}

/** A server gives up a connection that says nothing for so long, and rolls back. */
const idleTransactionMs = 60_000;

/** A little more than what expires in so long. */
const passedMs = { "an hour": 3_601_000, "a week": 604_801_000 };

/** For how long a place is empty after a process is gone. */
const restartMs = 150;

export class System {
  readonly world: World;
  readonly steps: Steps;
  readonly model: Model;
  readonly apis: Slot<Api>[] = [];
  readonly flushers: Slot<RunningFlusher>[] = [];
  readonly #stage: Stage;
  readonly #plan: Plan;
  /** Faults that strike after a call. */
  readonly #waiting = new Set<EngineFault>();
  readonly #copies = new Map<EngineFault, RedisCopy | MysqlCopy>();
  /** Whether MySQL has been put back. */
  hasLostMysql = false;
  /** Whether Redis was put back to a copy since which nothing was flushed: it may know what is long deleted. */
  hasLostRedisUnnoticed = false;
  /** Whether MySQL was put back to a copy since which nothing was flushed: nobody counts again what it has forgotten. */
  hasLostMysqlUnnoticed = false;
  #lives = 0;

  constructor(stage: Stage, plan: Plan, world: World, model: Model) {
    this.#stage = stage;
    this.#plan = plan;
    this.world = world;
    this.model = model;
    const callFaults = plan.faults.filter((fault) => fault.kind !== "engine");
    this.steps = new Steps(world, callFaults, plan.pace);
    this.steps.onMade = (call) => {
      this.#strikeAfter(call);
    };
    this.steps.onGone = (process) => this.#replace(process);
    this.steps.onFrozen = (process, ms) => {
      if (ms < idleTransactionMs) return;
      const at = world.nowMs + idleTransactionMs;
      world.add({ at, kind: "fault", label: "idle", run: () => stage.mysql.loseTransactions(process) });
    };
    stage.redis.nowMs = () => world.nowMs;
    stage.redis.onPublish = (channel) => {
      if (isWake(channel)) this.trigger("threshold");
    };
    world.beforeEvent = () => stage.redis.expire();
    const [first, second, third, fourth] = plan.skewsMs;
    for (const [name, skewMs = 0] of [["api0", first] as const, ["api1", second] as const])
      this.apis.push(this.#slot(name, skewMs, startApi));
    for (const [name, skewMs = 0] of [["flush0", third] as const, ["flush1", fourth] as const].slice(
      0,
      plan.flushers,
    ))
      this.flushers.push(this.#slot(name, skewMs, startFlusher));
  }

  /** Wakes every flusher. */
  trigger(trigger: "threshold" | "minute"): void {
    for (const { running, process } of this.flushers) if (process.isAlive) running.post(trigger);
  }

  /** Counts as the job does, in a process of its own; resolves when it is over, or the process is gone. */
  async counts(): Promise<void> {
    const process = this.#process("counts", 0);
    const gone = new Promise<void>((resolve) => {
      process.onEnd(resolve);
    });
    const task = new Task(process, "counts");
    await Promise.race([gone, task.run(() => runCounts(this.#parts(process)))]);
  }

  /** What befalls the engines in a round. */
  scheduleFaults(round: number): void {
    for (const fault of this.#plan.faults) {
      if (fault.kind !== "engine") continue;
      const startMs = this.world.nowMs;
      if (fault.takenInRound === round) this.#at(startMs, () => this.#take(fault));
      if (fault.round !== round) continue;
      const takenAtMs = Math.max(0, fault.atMs - fault.takenAtMs);
      if (fault.what.endsWith("put back") && fault.takenInRound === undefined)
        this.#at(startMs + (fault.takenAtMs === 0 || fault.after ? 0 : takenAtMs), () => this.#take(fault));
      if (fault.after === undefined) this.#at(startMs + fault.atMs, () => this.#strike(fault));
      else this.#waiting.add(fault);
    }
  }

  #strikeAfter(call: string): void {
    for (const fault of this.#waiting) {
      if (fault.after !== call) continue;
      this.#waiting.delete(fault);
      this.#at(this.world.nowMs + fault.atMs, () => this.#strike(fault));
    }
  }

  /** A loss that may strike at any moment from now on; a copy that is put back is taken now. */
  scheduleLoss(what: EngineFault["what"]): void {
    const fault: EngineFault = { kind: "engine", what, round: 0, atMs: 0, takenAtMs: 0, ms: 0 };
    const { nowMs } = this.world;
    if (what.endsWith("put back")) this.#at(nowMs - 1, () => this.#take(fault), "copy");
    this.#at(nowMs, () => this.#strike(fault), "loss");
  }

  /** All that still waits to go wrong does not; every process lives and every engine serves. */
  heal(): void {
    this.steps.isHealed = true;
    this.steps.away.clear();
    this.#waiting.clear();
    this.world.thaw();
    this.world.forget(({ kind, label }) => kind === "fault" && label === "engine");
  }

  /** Lets an hour or a week pass in which nothing is asked. */
  async passAll(of: "an hour" | "a week"): Promise<void> {
    const ms = passedMs[of];
    this.world.note("time", `${of} passes`);
    this.world.jump(ms);
    this.#stage.redis.postpone(ms, isKeptAlive);
    await this.#stage.redis.expire();
  }

  get hasIndex(): boolean {
    return this.#plan.settings.mostOwed > 0;
  }

  async isDrained(): Promise<boolean> {
    const contents = await contentsOf(this.#stage.client, this.#stage.config.redis.namespace);
    const removals = await this.#stage.mysql.sql("select 1 from removals where finished_at is null limit 1");
    if (contents.references.length > 0 || removals.length > 0) return false;
    return !this.hasIndex || isIndexSettled(contents);
  }

  /** Ends every process. */
  async end(): Promise<void> {
    for (const { process } of [...this.apis, ...this.flushers]) process.end();
    await this.#stage.mysql.reset();
    await this.#stage.redis.putBack(undefined);
  }

  #at(at: number, run: () => Promise<void>, label = "engine"): void {
    this.world.add({ at, kind: "fault", label, run });
  }

  async #take(fault: EngineFault): Promise<void> {
    const { redis, mysql } = this.#stage;
    this.#copies.set(fault, fault.what.startsWith("redis") ? await redis.copy() : await mysql.copy());
    this.world.note("fault", `a copy is taken, for later: ${fault.what}`);
  }

  async #strike(fault: EngineFault): Promise<void> {
    this.world.note("fault", `!! ${fault.what}`);
    const copy = this.#copies.get(fault);
    switch (fault.what) {
      case "redis flushed":
      case "redis emptied":
      case "redis put back":
        await this.#loseRedis(fault.what, copy as RedisCopy | undefined);
        return;
      case "mysql put back":
        for (const { process } of [...this.apis, ...this.flushers]) await this.steps.cut(process, "mysql");
        await this.#putBackMysql(copy as MysqlCopy | undefined);
        return;
      case "redis away":
      case "mysql away":
      case "elasticsearch away": {
        const engine = fault.what.replace(" away", "") as EngineName;
        this.steps.away.add(engine);
        for (const { process } of [...this.apis, ...this.flushers]) await this.steps.cut(process, engine);
        this.#at(this.world.nowMs + fault.ms, () => {
          this.steps.away.delete(engine);
          return Promise.resolve();
        });
      }
    }
  }

  /** One that is flushed keeps its connections. */
  async #loseRedis(
    what: "redis flushed" | "redis emptied" | "redis put back",
    copy: RedisCopy | undefined,
  ): Promise<void> {
    const { redis } = this.#stage;
    if (what === "redis flushed") await redis.flush();
    else await redis.putBack(what === "redis emptied" ? undefined : copy);
    if (!(await doubt(this.#stage, this, what))) this.hasLostRedisUnnoticed = true;
    if (what === "redis flushed") return;
    for (const { process } of [...this.apis, ...this.flushers]) await this.steps.cut(process, "redis");
  }

  async #putBackMysql(copy: MysqlCopy | undefined): Promise<void> {
    this.hasLostMysql = true;
    if (copy) await this.#stage.mysql.putBack(copy);
    const isNoticeable = await doubt(this.#stage, this, "mysql put back");
    if (!isNoticeable) this.hasLostMysqlUnnoticed = true;
  }

  async #replace(process: SimProcess): Promise<void> {
    this.world.note(process.name, "!! is gone");
    process.end();
    await this.#stage.mysql.releaseAll(process);
    const revive = <T>(slot: Slot<T>, start: (parts: Parts) => T) => {
      if (slot.process !== process) return;
      this.world.add({
        at: this.world.nowMs + restartMs,
        kind: "fault",
        label: "restart",
        run: () => {
          const { process: next, running } = this.#slot(slot.name, slot.skewMs, start);
          Object.assign(slot, { process: next, running });
          this.world.note(slot.name, "is back");
        },
      });
    };
    for (const slot of this.apis) revive(slot, startApi);
    for (const slot of this.flushers) revive(slot, startFlusher);
  }

  #slot<T>(name: string, skewMs: number, start: (parts: Parts) => T): Slot<T> {
    const process = this.#process(name, skewMs);
    const task = new Task(
      process,
      `${name}${this.#lives > this.#plan.flushers + 2 ? `.${this.#lives}` : ""}`,
    );
    return { name, skewMs, process, running: task.run(() => start(this.#parts(process))) };
  }

  #process(name: string, skewMs: number): SimProcess {
    this.#lives += 1;
    const process = new SimProcess(this.world, name);
    process.skewMs = skewMs;
    return process;
  }

  #parts(process: SimProcess): Parts {
    const { redis, mysql, index, config } = this.#stage;
    const { settings } = this.#plan;
    return { process, steps: this.steps, redis, mysql, index, config, settings, log: this.#log(process) };
  }

  #log(process: SimProcess): FlushLog {
    const nothing = (): void => undefined;
    const told = (level: string) => (fields: object, message: string) => {
      if (!process.isAlive) return "";
      const { err } = fields as { err?: unknown };
      const cause = err instanceof Error ? `: ${err.message.slice(0, 150)}` : "";
      this.world.note(process.name, `${level}: ${message}${cause}`);
      return `${message}${cause}`;
    };
    const warn = told("warn");
    const error = told("error");
    return {
      debug: nothing,
      info: nothing,
      warn: (fields, message) => void warn(fields, message),
      error: (fields, message) => {
        const text = error(fields, message);
        const { err } = fields as { err?: unknown };
        if (/failed|ended/.test(message) && !isContention(err))
          this.model.report("a defect was logged", text);
      },
    };
  }
}
