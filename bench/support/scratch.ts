import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** The folder of this run, for logs and lists; whoever started the run removes it. */
export const scratchDirectory =
  process.env["SLUICE_BENCH_DIRECTORY"] ?? mkdtempSync(path.join(tmpdir(), "sluice-bench-"));
