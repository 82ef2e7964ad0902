/** Ids that are drawn at random decide what sorts first; within a run they hang on its seed. */
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";

import { nanoid } from "nanoid";

import { Random } from "../support/random.ts";

const { webcrypto } = crypto;
const real = webcrypto.getRandomValues.bind(webcrypto);
const realUuid = crypto.randomUUID;
let random: Random | undefined;
let filled = 0;

function fill<T extends Parameters<typeof real>[0]>(array: T): T {
  if (!random || !(array instanceof Uint8Array)) return real(array);
  filled += 1;
  for (let at = 0; at < array.length; at += 1) array[at] = random.integer(0, 255);
  return array;
}

function uuid(): ReturnType<typeof realUuid> {
  const chance = random;
  if (!chance) return realUuid();
  const hex = (length: number) => Array.from({ length }, () => chance.integer(0, 15).toString(16)).join("");
  return `${hex(8)}-${hex(4)}-${hex(4)}-${hex(4)}-${hex(12)}`;
}

/** From now on ids hang on a seed. */
export function seedIds(seed: number): void {
  Object.assign(webcrypto, { getRandomValues: fill });
  crypto.randomUUID = uuid;
  syncBuiltinESMExports();
  random = new Random(seed);
  // What is left of the bytes that were drawn beforehand.
  const before = filled;
  while (filled === before) nanoid();
}

/** From now on ids are drawn at random again. */
export function unseedIds(): void {
  random = undefined;
  crypto.randomUUID = realUuid;
  syncBuiltinESMExports();
}
