import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Refusal } from "./refusal.mjs";

/** The folder of the clone. */
export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** Where the launchers keep what they make; git ignores it. */
export const workDirectory = path.join(root, ".sluice");

/** The folder of `npm start`: its data, and the file that tells `npx sluice` where its engines are. */
export const startDirectory = path.join(workDirectory, "start");

/**
 * How Node runs the application, here and in the image: with more room for what is young, of which a batch makes much,
 * garbage is collected less often. It took a tenth off the processor time of a POST and of a row (docs/performance.md).
 */
export const nodeFlags = ["--max-semi-space-size=64"];

/**
 * Throws a `Refusal` when this Node is older than the one package.json asks for.
 *
 * @param {string} running for example "20.19.0"
 */
export function requireNode(running = process.versions.node) {
  const wanted = /** @type {{ engines: { node: string } }} */ (
    JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"))
  ).engines.node.replace(/^>=/, "");
  if (compareVersions(running, wanted) < 0) {
    throw new Refusal(`Node ${wanted} or newer is needed, this is ${running}: see https://nodejs.org/`);
  }
}

/**
 * @param {string} left
 * @param {string} right
 */
function compareVersions(left, right) {
  const [a, b] = [left, right].map((version) => version.split(".").map(Number));
  for (let index = 0; index < 3; index++) {
    const difference = (a?.[index] ?? 0) - (b?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
