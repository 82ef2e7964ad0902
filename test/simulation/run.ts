/** Runs a plan on the engines, and says what was not as it must be. */
import { Clients } from "./clients.ts";
import { compareStores, readAll } from "./final-check.ts";
import { compareIndex } from "./index-check.ts";
import { Model, type Problem } from "./model.ts";
import type { Ask, ClientOperation, Plan, Round } from "./plan.ts";
import type { Api } from "./product.ts";
import { stepNature } from "./product-calls.ts";
import { disorderOf } from "./product-invariants.ts";
import { seedIds, unseedIds } from "./seeded-ids.ts";
import type { Stage } from "./stage.ts";
import { System } from "./system.ts";
import { Task, World } from "./world.ts";
import type { Explorer } from "./explorer.ts";

export interface Report {
  readonly problems: readonly Problem[];
  /** All that happened, a line each; made when it is asked for. */
  readonly trace: readonly string[];
  /** Events that happened. */
  readonly events: number;
  /** Calls that were held up. */
  readonly stalled: ReadonlySet<string>;
}

/** A client gives up after so long. */
const patienceMs = 10_000;
/** Longer than it takes a flusher to renew its lease. */
const renewedWithinMs = 3500;
/** Longer than the lease of a flusher that stands still. */
const aWhileMs = 15_000;
/** What waits is flushed within so long, once all is well. */
const drainedWithinMs = 600_000;

export interface RunOptions {
  /** Decides who moves in the rounds, in place of the seed. */
  readonly explorer?: Explorer;
  /** Whether the buffer is looked at after every step that wrote to it. */
  readonly isWatched?: boolean;
}

export async function runPlan(
  stage: Stage,
  plan: Plan,
  { explorer, isWatched = false }: RunOptions = {},
): Promise<Report> {
  const world = new World(plan.seed);
  const model = new Model();
  seedIds(plan.seed);
  stage.redis.begin();
  stage.index.reset();
  world.names.set(stage.config.database.name, "database");
  const run = new Run(stage, plan, world, model);
  if (isWatched) run.watch();
  if (explorer) world.policy = explorer.policy(run.system.steps, world);
  try {
    await run.setUp();
    await run.rounds((isOn) => {
      if (explorer) explorer.isOn = isOn;
    });
    await run.compare();
  } catch (error) {
    model.report("the simulator failed", error instanceof Error ? String(error.stack) : String(error));
  } finally {
    await run.end();
    unseedIds();
  }
  const { stalled } = run.system.steps;
  const { problems } = model;
  return {
    problems,
    get trace() {
      return world.trace;
    },
    events: world.taken,
    stalled,
  };
}

class Run {
  readonly system: System;
  readonly #plan: Plan;
  readonly #stage: Stage;
  readonly #world: World;
  readonly #model: Model;
  readonly #clients: Clients;
  readonly #open = new Set<string>();

  constructor(stage: Stage, plan: Plan, world: World, model: Model) {
    this.#stage = stage;
    this.#plan = plan;
    this.#world = world;
    this.#model = model;
    this.#clients = new Clients(model);
    this.system = new System(stage, plan, world, model);
  }

  /** From now on looks at the buffer after every step that wrote to it, until something is wrong. */
  watch(): void {
    const { client, redis, config } = this.#stage;
    let isFine = true;
    this.system.steps.afterEach = async (engine, name) => {
      if (!isFine || engine !== "redis" || stepNature(name).kind === "read") return;
      const problems = await disorderOf(client, config.redis.namespace, (key) => redis.expires(key));
      for (const problem of problems)
        this.#model.report(`after ${name}: ${problem.replace(/:.*/s, "")}`, problem);
      isFine = problems.length === 0;
    };
  }

  /** An application with some chats and messages, before anything goes wrong. */
  async setUp(): Promise<void> {
    await this.#askAlone("s0", { do: "create application", key: "app" });
    this.#world.names.set(this.#clients.token, "app");
    for (let nth = 0; nth < this.#plan.chats; nth += 1)
      await this.#askAlone(`s1.${nth}`, { do: "post chat", text: `chat ${nth}` });
    for (let nth = 0; nth < this.#plan.messages; nth += 1)
      await this.#askAlone(`s2.${nth}`, { do: "post message", chat: 0, text: `message ${nth}` });
    // By then somebody drains.
    await this.#pass(1200);
    this.system.steps.isHealed = false;
  }

  async rounds(tellWhetherOn: (isOn: boolean) => void): Promise<void> {
    for (const [nth, round] of this.#plan.rounds.entries()) {
      await this.#before(round.before);
      this.#world.note("round", String(nth));
      this.system.scheduleFaults(nth);
      tellWhetherOn(true);
      await this.#take(round);
      tellWhetherOn(false);
    }
  }

  /** Heals all, lets everything be flushed and counted, and compares. */
  async compare(): Promise<void> {
    const { system } = this;
    this.#world.note("round", "the end: all is well again");
    await this.#world.run(() => this.#world.events.every(({ kind }) => kind !== "fault"), 20_000);
    system.heal();
    await this.#look();
    // A process that has lost its lease, or its Redis, has heard of it by then.
    await this.#pass(12_000);
    await this.#postEverywhere();
    const endMs = this.#world.nowMs + drainedWithinMs;
    do {
      system.trigger("minute");
      await this.#pass(2000);
    } while (!(await system.isDrained()) && this.#world.nowMs < endMs);
    await this.#countInPeace();
    this.#model.forgetOlder();
    const api = system.apis[0];
    if (!api) return;
    const task = new Task(api.process, "last");
    await this.#finish(
      "the last look",
      task.run(() => readAll(this.#model, this.#clients, api.running)),
    );
    await compareStores(this.#stage, this.#model, {
      mayHaveOrphans: system.hasLostMysql || system.hasLostRedisUnnoticed,
      mayHaveOldCounts: system.hasLostMysqlUnnoticed,
    });
    if (system.hasIndex) await compareIndex(this.#stage, this.#model);
  }

  /** Counts; once more where somebody's locks were met, whose server has given them up by then. */
  async #countInPeace(): Promise<void> {
    const failures: unknown[] = [];
    await this.#finish(
      "counts",
      this.system.counts().catch((error: unknown) => failures.push(error)),
    );
    if (failures.length === 0) return;
    await this.#pass(70_000);
    await this.#finish("counts", this.system.counts());
  }

  /** Reads everything. */
  async #look(): Promise<void> {
    const api = this.system.apis[0];
    if (!api) return;
    const task = new Task(api.process, "last");
    await this.#finish(
      "the last look",
      task.run(() => readAll(this.#model, this.#clients, api.running)),
    );
  }

  /** No parent gives a number again, whatever happened. */
  async #postEverywhere(): Promise<void> {
    await this.#askAlone("last chat", { do: "post chat", text: "the last chat" });
    const chats = this.#model.applications.get(this.#clients.token)?.children.size ?? 0;
    for (let chat = 0; chat < Math.min(chats, 4); chat += 1)
      await this.#askAlone(`last ${chat}`, { do: "post message", chat, text: `the last message ${chat}` });
  }

  async end(): Promise<void> {
    await this.system.end();
  }

  async #before(what: Round["before"]): Promise<void> {
    if (what === "counts") await this.#wait(this.system.counts().catch(() => undefined));
    if (what === "a while") await this.#pass(aWhileMs);
    if (what === "flush" || what === "a flush and an hour" || what === "a week") {
      this.system.trigger("minute");
      await this.#pass(1500);
    }
    // By then also what was deleted is removed.
    if (what === "a week") await this.#pass(aWhileMs);
    if (what !== "an hour" && what !== "a flush and an hour" && what !== "a week") return;
    await this.system.passAll(what === "a week" ? what : "an hour");
    // Whoever holds a lease has renewed it by then, and knows.
    await this.#pass(renewedWithinMs);
  }

  async #take(round: Round): Promise<void> {
    const startMs = this.#world.nowMs;
    for (const operation of round.operations) {
      this.#open.add(operation.id);
      if (operation.after === undefined) this.#start(operation, startMs, round);
    }
    if (round.loss) this.system.scheduleLoss(round.loss);
    if (round.minuteAtMs !== undefined) {
      const run = () => {
        this.system.trigger("minute");
      };
      this.#world.add({ at: startMs + round.minuteAtMs, kind: "client", run });
    }
    await this.#world.run(() => this.#open.size === 0, patienceMs);
    // Whoever has no answer by now gave up; what became of it is open.
    this.#open.clear();
  }

  #start({ id, api, atMs, ask }: ClientOperation, startMs: number, round?: Round): void {
    this.#open.add(id);
    const next = () => {
      this.#open.delete(id);
      if (round?.minuteAfter === id) this.system.trigger("minute");
      const following = round?.operations.filter(({ after }) => after === id) ?? [];
      for (const operation of following) this.#start(operation, this.#world.nowMs, round);
    };
    const run = () => {
      const slot = this.system.apis[api];
      if (!slot?.process.isAlive) {
        next();
        return;
      }
      slot.process.onEnd(() => {
        if (this.#open.has(id)) next();
      });
      this.#ask(new Task(slot.process, `op${id}`), id, ask, slot.running, next);
    };
    this.#world.add({ at: startMs + atMs, kind: "client", run });
  }

  #ask(task: Task, id: string, ask: Ask, api: Api, next: () => void): void {
    const { do: what, ...how } = ask;
    this.#world.note(task.name, `▶ ${what} ${JSON.stringify(how)}`);
    const done = (told: string) => {
      this.#world.note(task.name, `◀ ${told}`);
      if (this.#open.has(id)) next();
    };
    task
      .run(() => this.#clients.ask(api, id, ask))
      .then(done, (error: unknown) => {
        this.#model.report("the simulator failed", String(error));
        done("failed");
      });
  }

  async #askAlone(id: string, ask: Ask): Promise<void> {
    this.#start({ id, api: 0, atMs: 0, ask }, this.#world.nowMs);
    await this.#world.run(() => this.#open.size === 0, patienceMs);
  }

  async #pass(ms: number): Promise<void> {
    const untilMs = this.#world.nowMs + ms;
    await this.#world.run(() => false, ms);
    this.#world.nowMs = Math.max(this.#world.nowMs, untilMs);
  }

  /** Lets the world go on until something is over. */
  async #finish(what: string, work: Promise<unknown>): Promise<void> {
    const settled = work.catch((error: unknown) => {
      this.#model.report("the simulator failed", `${what}: ${String(error)}`);
    });
    if (!(await this.#wait(settled))) this.#model.report("the simulator failed", `${what} is not over`);
  }

  /** Lets the world go on until something is over, or has stood still for too long; whether it is over. */
  async #wait(work: Promise<unknown>): Promise<boolean> {
    let isOver = false;
    void work.finally(() => {
      isOver = true;
    });
    return this.#world.run(() => isOver, drainedWithinMs);
  }
}
