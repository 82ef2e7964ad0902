/**
 * Chance that hangs on names: the same seed and the same name give the same number, whatever else happened. So a plan
 * from which something is taken away leaves the rest of its course as it was, as far as it can.
 */
export function chanceOf(seed: number, ...names: readonly (string | number)[]): number {
  let hash = (2166136261 ^ seed) >>> 0;
  for (const name of names) {
    const text = `${name}/`;
    for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 16777619) >>> 0;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0;
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** Of a chance a number between two, such that each order of magnitude is as likely as another. */
export function spread(chance: number, least: number, most: number): number {
  return least * (most / least) ** chance;
}
