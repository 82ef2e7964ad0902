import { setTimeout as pause } from "node:timers/promises";

const pollMs = 50;

/**
 * Asks again and again until `condition` gives something truthy, and returns that; `undefined` once the
 * deadline has passed or the signal has aborted.
 *
 * @template T
 * @param {() => T | Promise<T>} condition
 * @param {{ timeoutMs: number, signal?: AbortSignal | undefined }} limits
 * @returns {Promise<T | undefined>}
 */
export async function waitUntil(condition, { timeoutMs, signal }) {
  const deadline = performance.now() + timeoutMs;
  while (signal?.aborted !== true) {
    const value = await condition();
    if (value) return value;
    if (performance.now() >= deadline) return undefined;
    await pause(pollMs);
  }
  return undefined;
}
