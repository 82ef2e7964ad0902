import { writeFileSync } from "node:fs";
import Mocha from "mocha";

const leakGraceMs = Number(process.env["SLUICE_TEST_LEAK_GRACE_MS"] ?? 10_000);

/** Mocha's own report; the counts go to a file as well, from which npm test makes its last line. */
class Reporter extends Mocha.reporters.Spec {
  /**
   * @param {Mocha.Runner} runner
   * @param {Mocha.MochaOptions} options
   */
  constructor(runner, options) {
    super(runner, options);
    // Left to itself Node takes its connections apart at the end, and after the torture's resets it sometimes
    // waits for one for ever.
    process.once("beforeExit", () => {
      process.exit();
    });
    const file = process.env["SLUICE_TEST_COUNTS"];
    if (file === undefined) return;
    const write = (/** @type {number} */ failed) => {
      writeFileSync(file, JSON.stringify({ passed: this.stats.passes, failed, skipped: this.stats.pending }));
    };
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const { failures } = this.stats;
      write(failures);
      // A connection or a child that a test forgot would keep the run alive for ever.
      setTimeout(() => {
        process.stderr.write(
          "The tests are over, but something they opened is still open. Ending the run.\n",
        );
        write(failures + 1);
        process.exit();
      }, leakGraceMs).unref();
    });
  }
}

// Mocha calls require() for its reporters, and takes what that returns for the class.
export { Reporter as "module.exports" };
