// npm start: everything Sluice needs, on a machine that has nothing but Node.
import path from "node:path";
import { withDotenv } from "./dotenv.mjs";
import { addressOf, firstSteps, untilReady } from "./first-steps.mjs";
import { ensureModules } from "./modules.mjs";
import { isFree } from "./ports.mjs";
import { nodeFlags, requireNode, root, startDirectory } from "./project.mjs";
import { reportFailure, say } from "./refusal.mjs";
import { runSession } from "./session.mjs";

const main = [...nodeFlags, "--import", "tsx", "src/main.ts"];

async function start() {
  requireNode();
  await ensureModules();
  const env = withDotenv(path.join(root, ".env"), process.env);
  const address = addressOf(env);
  return runSession({ directory: startDirectory, env, address, log: say }, async ({ node, signal }) => {
    const migrated = await node("migrate", [...main, "migrate"]);
    if (migrated !== 0) return migrated;
    const over = new AbortController();
    const welcome = greet(address, AbortSignal.any([signal, over.signal]));
    const code = await node("app", [...main, "all"]);
    over.abort();
    await welcome;
    return code;
  });
}

/**
 * @param {string} address
 * @param {AbortSignal} signal
 */
async function greet(address, signal) {
  const { hostname, port } = new URL(address);
  // A port that is taken would answer in the place of the application, which is about to say so itself.
  if (!(await isFree(Number(port), hostname.replace(/[[\]]/g, "")))) return;
  if (await untilReady(address, signal)) process.stdout.write(firstSteps(address));
}

try {
  process.exitCode = await start();
} catch (error) {
  reportFailure(error);
}
