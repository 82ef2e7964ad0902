import { setTimeout as pause } from "node:timers/promises";

import type { Victim } from "./engines.ts";
import type { FaultProxy } from "../support/fault-proxy.ts";
import { increment } from "../support/counts.ts";
import type { Random } from "../support/random.ts";
import type { System } from "./system.ts";

/** A lease lasts ten seconds: who is paused for longer has lost it when it goes on. */
const longPauseMs = [11_000, 14_000] as const;

/** Calls that are answered between two faults, unless none is for so long. */
const answersBetween = 10;
const longestWithoutMs = 3000;

export type Strike = (random: Random) => Promise<void>;

/** What is struck, and nothing else meanwhile; and how. */
export interface Fault {
  readonly name: string;
  /** How much seldomer than others it comes. */
  readonly rarity: number;
  readonly target: Victim | FaultProxy;
  readonly strike: Strike;
}

/**
 * Breaks things at random, one after the other and several at a time, but never two ways at the same thing.
 * Each kind comes about as often as any other that is as rare: what came least is next.
 */
export class FaultInjector {
  readonly counts = new Map<string, number>();
  readonly #faults: readonly Fault[];
  readonly #random: Random;
  readonly #answers: () => number;
  readonly #struck = new Set<Victim | FaultProxy>();
  readonly #underWay = new Set<Promise<void>>();

  /** `others` are faults beside those that every system has; `answers` says how many calls were answered so far. */
  constructor(system: System, random: Random, others: readonly Fault[], answers: () => number) {
    const { redis, mysql } = system.proxies;
    this.#faults = [
      ...system.victims.flatMap(faultsOf),
      ...(redis ? proxyFaults("redis", redis) : []),
      ...(mysql ? proxyFaults("mysql", mysql) : []),
      ...others,
    ];
    this.#random = random;
    this.#answers = answers;
  }

  /** Injects until the signal aborts; when it resolves everything runs again. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const answered = this.#answers();
      await pause(this.#random.integer(50, 500));
      await this.#untilTried(answered, signal);
      const fault = this.#next();
      if (fault) this.#inject(fault);
    }
    await Promise.all(this.#underWay);
  }

  /** What nobody tries while it is broken shows nothing: on a busy machine faults come as seldom as answers. */
  async #untilTried(answered: number, signal: AbortSignal): Promise<void> {
    const giveUpAtMs = performance.now() + longestWithoutMs;
    const isTried = () => this.#answers() >= answered + answersBetween || performance.now() > giveUpAtMs;
    while (!signal.aborted && !isTried()) await pause(20);
  }

  #next(): Fault | undefined {
    const turn = ({ name, rarity }: Fault) => ((this.counts.get(name) ?? 0) + this.#random.next()) * rarity;
    const [first] = this.#faults
      .filter(({ target }) => !this.#struck.has(target) && !this.#isLastApi(target))
      .map((fault) => ({ fault, turn: turn(fault) }))
      .sort((a, b) => a.turn - b.turn);
    return first?.fault;
  }

  /** Somebody must answer, or nothing is tried: on a busy machine a process takes many seconds to start. */
  #isLastApi(target: Fault["target"]): boolean {
    const isOther = (one: Fault["target"]) => one !== target && "kind" in one && one.kind === "api";
    const isApi = "kind" in target && target.kind === "api";
    return isApi && !this.#faults.some((fault) => isOther(fault.target) && !this.#struck.has(fault.target));
  }

  #inject({ name, target, strike }: Fault): void {
    increment(this.counts, name);
    this.#struck.add(target);
    const over = strike(this.#random.fork()).finally(() => {
      this.#struck.delete(target);
      this.#underWay.delete(over);
    });
    this.#underWay.add(over);
  }
}

function faultsOf(victim: Victim): Fault[] {
  const fault = (what: string, strike: Strike, rarity = 1) => ({
    name: what,
    target: victim,
    strike,
    rarity,
  });
  const faults = [
    fault(`kill ${victim.kind}`, killAndStart(victim)),
    fault(`pause ${victim.kind}`, pauseFor(victim, 50, 2500)),
  ];
  if (victim.kind !== "flusher") return faults;
  // Seldom, as nothing is flushed while all flushers are paused.
  return [...faults, fault("pause flusher past its lease", pauseFor(victim, ...longPauseMs), 5)];
}

function killAndStart(victim: Victim): Strike {
  return async (random) => {
    await victim.kill();
    await pause(random.integer(0, 1500));
    await victim.start();
  };
}

function pauseFor(victim: Victim, leastMs: number, mostMs: number): Strike {
  return async (random) => {
    victim.signal("SIGSTOP");
    await pause(random.integer(leastMs, mostMs));
    victim.signal("SIGCONT");
  };
}

function proxyFaults(name: "redis" | "mysql", proxy: FaultProxy): Fault[] {
  const fault = (what: string, begin: () => void, leastMs: number, mostMs: number): Fault => ({
    name: `${what} ${name}`,
    target: proxy,
    rarity: 1,
    async strike(random) {
      begin();
      await pause(random.integer(leastMs, mostMs));
      proxy.heal();
    },
  });
  return [
    fault("cut off", proxy.cut.bind(proxy), 0, 50),
    fault("stall", proxy.stall.bind(proxy), 100, 4000),
    fault("delay", proxy.delay.bind(proxy, 150), 200, 2000),
    fault("reset after write to", proxy.resetAfterNextWrites.bind(proxy, 3), 200, 500),
  ];
}
