/** What a simulated process has in place of a client of Redis: each call becomes a step. */
import type { Redis } from "ioredis";

import type { QueuedCommand, RedisServer } from "./redis-server.ts";
import type { Steps } from "./steps.ts";
import type { SimProcess } from "./world.ts";

/** How the simulation answers in place of a script that asks for what a simulated server has otherwise. */
export type Answers = Readonly<Record<string, (server: RedisServer) => unknown>>;

type AnyCall = (...args: never[]) => unknown;

/**
 * A client that knows every command of the real one. `failure` makes the error of a call that is not answered;
 * `prefix` is what names of scripts begin with.
 */
export function simulatedClient(
  process: SimProcess,
  steps: Steps,
  server: RedisServer,
  { prefix, answers, failure }: { prefix: string; answers: Answers; failure: () => Error },
): Redis {
  const step = (name: string, args: readonly unknown[], run: () => Promise<unknown>) =>
    steps.call({ engine: "redis", name, detail: () => shortened(args), run, failure });

  const runScript = (name: string, args: readonly unknown[]) => {
    const answer = answers[name];
    return step(name, args.slice(1), () =>
      answer ? Promise.resolve(answer(server)) : server.script(name, args),
    );
  };

  const known: Record<string, unknown> = {
    options: { db: 0 },
    status: "ready",
    on(event: string, listener: () => void) {
      if (event === "close") process.onReconnect(listener);
    },
    disconnect: () => undefined,
    defineCommand(name: string, { lua, numberOfKeys }: { lua: string; numberOfKeys?: number }) {
      const script = name.slice(prefix.length).replace(/-\d+$/, "");
      server.define(script, lua);
      known[name] = (...args: unknown[]) =>
        runScript(script, numberOfKeys === undefined ? args : [numberOfKeys, ...args]);
    },
    multi: () => chain("multi"),
    pipeline: () => chain("pipeline"),
  };

  const chain = (kind: "multi" | "pipeline") => {
    const queued: QueuedCommand[] = [];
    const exec = () => {
      const names = [...new Set(queued.map(({ name }) => name))].join("+");
      const detail = queued.flatMap(({ args }) => args);
      if (queued.length === 0) return Promise.resolve([]);
      return step(names, detail, () => server.together(kind, queued));
    };
    const self: unknown = new Proxy(
      {},
      {
        get: (_, name) => {
          if (typeof name === "symbol" || name === "then") return undefined;
          if (name === "exec") return exec;
          return (...args: unknown[]) => {
            queued.push({ name, args });
            return self;
          };
        },
      },
    );
    return self;
  };

  return new Proxy(known, {
    get: (_, name): unknown => {
      if (typeof name === "symbol" || name === "then") return undefined;
      if (name in known) return known[name];
      if (name.startsWith(prefix)) return undefined;
      const command: AnyCall = (...args: unknown[]) => step(name, args, () => server.command(name, args));
      return command;
    },
  }) as unknown as Redis;
}

const mostShown = 130;

/** Arguments for the trace: of a key the part after the partition. */
function shortened(args: readonly unknown[]): string {
  const parts = args.map((arg) => String(arg).replace(/^[^{}]*\{\d+\}:/, ""));
  const text = parts.join(" ");
  return text.length > mostShown ? `${text.slice(0, mostShown)}…` : text;
}
