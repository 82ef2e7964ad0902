/**
 * Time within the simulation. Code that runs as somebody simulated sees that one's clock, timers and chance in place
 * of the machine's; all other code, the drivers of the engines among it, goes on with the real ones.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { syncBuiltinESMExports } from "node:module";
import timersPromises from "node:timers/promises";

/** Somebody simulated, as far as the clock, timers and chance are concerned. */
export interface Host {
  /** Unix milliseconds by its own clock. */
  wallMs(): number;
  /** Milliseconds that never go back. */
  monotonicMs(): number;
  random(): number;
  setTimer(delayMs: number, ring: () => void): VirtualTimer;
}

export interface VirtualTimer {
  cancel(): void;
}

const hosts = new AsyncLocalStorage<Host>();
const real = {
  Date: globalThis.Date,
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
  setImmediate: globalThis.setImmediate,
  random: Math.random,
  performanceNow: performance.now.bind(performance),
  delay: timersPromises.setTimeout,
};
let immediatesWaiting = 0;

/** Runs something, and all that follows from it, as a host. */
export function runAs<T>(host: Host, run: () => T): T {
  return hosts.run(host, run);
}

/** Runs something as the simulator itself, whoever asked for it. */
export function runOutside<T>(run: () => T): T {
  return hosts.exit(run);
}

/** Whoever is simulated by the code that calls; nothing for the simulator itself. */
export function currentHost(): Host | undefined {
  return hosts.getStore();
}

/** Resolves when nothing simulated can go on by itself: everybody waits for an engine or a timer, or has ended. */
export async function quiet(): Promise<void> {
  let rounds = 0;
  do {
    await new Promise<void>((resolve) => real.setImmediate(resolve));
    rounds = immediatesWaiting > 0 ? 0 : rounds + 1;
  } while (rounds < 2);
}

class TimerHandle {
  readonly timer: VirtualTimer;

  constructor(timer: VirtualTimer) {
    this.timer = timer;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

/** Puts virtual time in place of the real one for whoever is simulated; answers how to take it away again. */
export function installVirtualTime(): () => void {
  const nowOf = (host: Host | undefined) => host?.wallMs() ?? real.Date.now();
  globalThis.Date = new Proxy(real.Date, {
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct(target, args.length > 0 ? args : [nowOf(hosts.getStore())], newTarget) as Date,
    get: (target, property) =>
      property === "now" ? () => nowOf(hosts.getStore()) : (Reflect.get(target, property) as unknown),
  });
  performance.now = () => hosts.getStore()?.monotonicMs() ?? real.performanceNow();
  Math.random = () => hosts.getStore()?.random() ?? real.random();
  installTimers();
  syncBuiltinESMExports();
  return () => {
    const { Date, setTimeout, clearTimeout, setInterval, clearInterval, setImmediate } = real;
    Object.assign(globalThis, { Date, setTimeout, clearTimeout, setInterval, clearInterval, setImmediate });
    Math.random = real.random;
    performance.now = real.performanceNow;
    timersPromises.setTimeout = real.delay;
    syncBuiltinESMExports();
  };
}

type Callback = (...args: unknown[]) => void;

function installTimers(): void {
  const setVirtual = (callback: Callback, ms = 0, ...args: unknown[]) => {
    const host = hosts.getStore();
    if (!host) return real.setTimeout(callback, ms, ...args);
    const ring = () => {
      runAs(host, () => {
        callback(...args);
      });
    };
    return new TimerHandle(host.setTimer(ms, ring));
  };
  const clearVirtual = (handle: unknown) => {
    if (handle instanceof TimerHandle) handle.timer.cancel();
    else real.clearTimeout(handle as NodeJS.Timeout);
  };
  // What repeats by itself in a process (a pool that looks for idle connections) changes nothing here.
  const setRepeated = (callback: Callback, ms = 0, ...args: unknown[]) =>
    hosts.getStore() ? new TimerHandle({ cancel: () => undefined }) : real.setInterval(callback, ms, ...args);
  const setSoon = (callback: Callback, ...args: unknown[]) => {
    if (!hosts.getStore()) return real.setImmediate(callback, ...args);
    immediatesWaiting += 1;
    return real.setImmediate(() => {
      immediatesWaiting -= 1;
      callback(...args);
    });
  };
  const clearRepeated = (handle: unknown) => {
    if (!(handle instanceof TimerHandle)) real.clearInterval(handle as NodeJS.Timeout);
  };
  Object.assign(globalThis, {
    setTimeout: setVirtual,
    clearTimeout: clearVirtual,
    setInterval: setRepeated,
    clearInterval: clearRepeated,
    setImmediate: setSoon,
  });
  timersPromises.setTimeout = delayed as typeof timersPromises.setTimeout;
}

async function delayed<T>(ms?: number, value?: T, options?: { signal?: AbortSignal }): Promise<T> {
  const host = hosts.getStore();
  if (!host) return real.delay<T>(ms, value, options);
  const { signal } = options ?? {};
  signal?.throwIfAborted();
  return new Promise<T>((resolve, reject) => {
    const abort = () => {
      timer.cancel();
      reject(new Error("The operation was aborted"));
    };
    const timer = host.setTimer(ms ?? 0, () => {
      signal?.removeEventListener("abort", abort);
      resolve(value as T);
    });
    signal?.addEventListener("abort", abort, { once: true });
  });
}
