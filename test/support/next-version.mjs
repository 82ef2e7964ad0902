// Imported before a program of Sluice, makes it one of the next version: its records hold what next-fields.ts says.
import { register } from "node:module";
import { isMainThread } from "node:worker_threads";

const fields = new URL("../../src/records/fields.ts", import.meta.url).pathname;
const nextFields = new URL("next-fields.ts", import.meta.url).href;

// Node loads this file a second time, as its hook, in a thread for hooks.
if (isMainThread) register(import.meta.url);

/** @type {import("node:module").ResolveHook} */
export async function resolve(specifier, context, nextResolve) {
  const resolved = await nextResolve(specifier, context);
  const isWanted = new URL(resolved.url).pathname === fields;
  // What the next version is made of is this one's.
  const isForNext = context.parentURL?.startsWith(nextFields) === true;
  return isWanted && !isForNext ? { ...resolved, url: nextFields } : resolved;
}
