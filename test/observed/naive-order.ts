import type { Model, Timed } from "./linearize.ts";

/**
 * Whether there is an order in which operations can have happened, found by trying every order of every choice of
 * those that may have happened: what `linearize` must agree with, and only fit for a handful.
 */
export function hasOrder<State, Operation extends Timed>(
  model: Model<State, Operation>,
  operations: readonly Operation[],
): boolean {
  return choices(operations).some((chosen) =>
    orders(chosen).some((order) => isInTime(order) && canHappen(model, model.initial, order)),
  );
}

function choices<Operation extends Timed>(operations: readonly Operation[]): Operation[][] {
  const [first, ...others] = operations;
  if (!first) return [[]];
  const rest = choices(others);
  const taken = rest.map((choice) => [first, ...choice]);
  return first.isCertain ? taken : [...taken, ...rest];
}

function orders<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, at) => orders(items.toSpliced(at, 1)).map((rest) => [item, ...rest]));
}

/** Whether nothing comes before what had ended when it began. */
function isInTime(order: readonly Timed[]): boolean {
  return order.every(({ beganMs }, at) => order.slice(at + 1).every(({ endedMs }) => endedMs >= beganMs));
}

function canHappen<State, Operation>(
  model: Model<State, Operation>,
  state: State,
  [first, ...others]: readonly Operation[],
): boolean {
  if (first === undefined) return true;
  return model.step(state, first).some((next) => canHappen(model, next, others));
}
