/** Ids that are drawn at random decide what sorts first; within a run they hang on its seed. */
import { webcrypto } from "node:crypto";

import { nanoid } from "nanoid";

import { Random } from "../crash/random.ts";

const real = webcrypto.getRandomValues.bind(webcrypto);
let random: Random | undefined;
let hasFilled = false;

function fill<T extends Parameters<typeof real>[0]>(array: T): T {
  if (!random || !(array instanceof Uint8Array)) return real(array);
  hasFilled = true;
  for (let at = 0; at < array.length; at += 1) array[at] = random.integer(0, 255);
  return array;
}

/** From now on ids hang on a seed. */
export function seedIds(seed: number): void {
  Object.assign(webcrypto, { getRandomValues: fill });
  random = new Random(seed);
  hasFilled = false;
  // What is left of the bytes that were drawn beforehand.
  while (!hasFilled) nanoid();
}
