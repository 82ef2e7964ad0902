import { get } from "node:http";
import { waitUntil } from "./wait.mjs";

/**
 * Where the API will answer, as seen from this machine.
 *
 * @param {NodeJS.ProcessEnv} env
 */
export function addressOf(env) {
  // Empty means the same as absent, as in the application.
  const set = (/** @type {string} */ name) => (env[name] === "" ? undefined : env[name]);
  const host = set("HOST") ?? "127.0.0.1";
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${set("PORT") ?? "3000"}`;
}

/**
 * Waits until the API is ready; whether it is.
 *
 * @param {string} address
 * @param {AbortSignal} signal
 */
export async function untilReady(address, signal) {
  return (await waitUntil(() => isReady(address), { timeoutMs: Infinity, signal })) === true;
}

/**
 * @param {string} address
 * @returns {Promise<boolean>}
 */
function isReady(address) {
  return new Promise((resolve) => {
    const request = get(`${address}/readyz`, { timeout: 2_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once("timeout", () => request.destroy());
    request.once("error", () => {
      resolve(false);
    });
  });
}

/**
 * What to do with a server that has just come up. The lines work when pasted as they are.
 *
 * @param {string} address
 */
export function firstSteps(address) {
  return `
Sluice answers at ${address}. Paste this into another terminal to try it:

  API=${address}/api/v1 JSON='Content-Type: application/json'
  TOKEN=$(curl -s $API/applications -H "$JSON" -d '{"name":"Demo"}' | sed 's/.*"token":"\\([^"]*\\)".*/\\1/')
  CHATS=$API/applications/$TOKEN/chats
  curl -s -X POST $CHATS; echo
  curl -s $CHATS/1/messages -H "$JSON" -d '{"body":"Hello"}'; echo
  curl -s $CHATS/1/messages/1; echo
  curl -s $CHATS/1/messages; echo
  curl -s "$CHATS/1/messages/search?query=ell"; echo

The API is described at ${address}/docs, and ${address}/ops shows operators how it does.

  npx sluice status        what is pending, what has been flushed (in this folder)

Ctrl-C stops everything; what was accepted is kept in .sluice/start for the next npm start.

`;
}
