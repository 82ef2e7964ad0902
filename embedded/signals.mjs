import { parentOf } from "./processes.mjs";

const forceAfterMs = 1_000;

/**
 * Turns the signals that ask for an end into one abort, whose reason is the signal's name. A further signal
 * calls `force`. An end of the npm that has started this process counts as a signal, as nobody else would be
 * left to end it.
 *
 * @param {() => void} force
 * @returns {AbortSignal}
 */
export function abortOnSignals(force) {
  const controller = new AbortController();
  let firstAt = 0;
  const onSignal = (/** @type {NodeJS.Signals} */ name) => {
    if (!controller.signal.aborted) {
      firstAt = performance.now();
      controller.abort(name);
    } else if (performance.now() - firstAt > forceAfterMs) {
      // Not sooner: a Ctrl-C comes twice at once, from the terminal and handed on by npm.
      force();
    }
  };
  for (const name of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) process.on(name, onSignal);
  if (process.env["npm_lifecycle_event"] !== undefined)
    watchParent(() => {
      onSignal("SIGTERM");
    });
  return controller.signal;
}

/** @param {() => void} onGone */
function watchParent(onGone) {
  // npm runs a script by way of a shell, which outlives an npm that is killed.
  const ancestors = () => [process.ppid, parentOf(process.ppid)];
  const before = ancestors();
  const timer = setInterval(() => {
    if (ancestors().every((pid, index) => pid === before[index])) return;
    clearInterval(timer);
    onGone();
  }, 500);
  timer.unref();
}
