/** Something a person has to change: its message is the whole explanation, so no stack is printed with it. */
export class Refusal extends Error {
  /** @override */
  name = "Refusal";
}

/**
 * Prints why a launcher cannot go on, and makes the process end with a failure.
 *
 * @param {unknown} reason
 */
export function reportFailure(reason) {
  const text = reason instanceof Refusal ? reason.message : reason instanceof Error ? reason.stack : reason;
  process.stderr.write(`sluice: ${String(text)}\n`);
  process.exitCode = 1;
}

/**
 * Says what a launcher is doing, on standard output.
 *
 * @param {string} line
 */
export function say(line) {
  process.stdout.write(`sluice: ${line}\n`);
}
