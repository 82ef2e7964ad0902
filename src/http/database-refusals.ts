import { classify } from "../store/failure.ts";
import type { Logger } from "../telemetry.ts";

/** How often the log says the same of MySQL, however many requests meet it. */
const everyMs = 60_000;

/**
 * Says in the log why requests are answered that the database does not serve them: once a minute for each number that
 * MySQL gave or code of the way to it. What passes by itself is a warning.
 */
export function reportRefusals(logger: Logger): (error: unknown) => void {
  const said = new Map<string, number>();
  return (error) => {
    const { errno, code } = error as { readonly errno?: unknown; readonly code?: unknown };
    const word = `${String(code)} ${String(errno)}`;
    const nowMs = performance.now();
    if (nowMs - (said.get(word) ?? -Infinity) < everyMs) return;
    said.set(word, nowMs);
    const passes = ["outage", "contention"].includes(classify(error));
    logger[passes ? "warn" : "error"]({ err: error, errno }, "MySQL does not serve requests");
  };
}
