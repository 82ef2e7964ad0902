// Imported before a program of Sluice, makes it one of the next version: its records are those of next-records.ts.
import { register } from "node:module";
import { isMainThread } from "node:worker_threads";

const records = new URL("../../src/records.ts", import.meta.url).pathname;
const nextRecords = new URL("next-records.ts", import.meta.url).href;

// Node loads this file a second time, as its hook, in a thread for hooks.
if (isMainThread) register(import.meta.url);

/** @type {import("node:module").ResolveHook} */
export async function resolve(specifier, context, nextResolve) {
  const resolved = await nextResolve(specifier, context);
  const isWanted = new URL(resolved.url).pathname === records;
  // What the next version is made of is this one's.
  const isForNext = context.parentURL?.startsWith(nextRecords) === true;
  return isWanted && !isForNext ? { ...resolved, url: nextRecords } : resolved;
}
