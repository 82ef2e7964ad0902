import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** A new, empty folder; that of the whole run goes when the run has passed. */
export function scratchDirectory(): string {
  return mkdtempSync(path.join(process.env["SLUICE_TEST_DIRECTORY"] ?? tmpdir(), "embedded-"));
}
