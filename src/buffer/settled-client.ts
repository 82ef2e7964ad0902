type Settle = <T>(command: Promise<T>) => Promise<T>;

type Call = (this: unknown, ...args: unknown[]) => unknown;

/**
 * A client, or a pipeline of one, of which whatever is promised is settled by `settle`: each command, and what a
 * pipeline or transaction answers. All else is as it is.
 */
export function settledBy<C extends object>(settle: Settle, client: C): C {
  const calls = new Map<string | symbol, Call>();
  const settled: C = new Proxy(client, {
    get(target, name) {
      const known = calls.get(name);
      if (known) return known;
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      const call: Call = (...args) => answered((member as Call).apply(target, args));
      calls.set(name, call);
      return call;
    },
  });

  function answered(answer: unknown): unknown {
    if (answer instanceof Promise) return settle(answer);
    // A pipeline answers itself to each command that it is given.
    if (answer === client) return settled;
    return isPipeline(answer) ? settledBy(settle, answer) : answer;
  }

  return settled;
}

function isPipeline(answer: unknown): answer is object {
  return typeof answer === "object" && answer !== null && "exec" in answer;
}
