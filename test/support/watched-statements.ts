import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** What a process of Node is started with, so that its statements are watched. */
export const watchArguments = [
  "--import",
  "tsx",
  "--import",
  fileURLToPath(new URL("sql-watch.ts", import.meta.url)),
] as const;

/** Where a process that is watched writes what it finds. */
export function watchEnvironment(): NodeJS.ProcessEnv {
  return { SLUICE_TEST_STATEMENTS: process.env["SLUICE_TEST_STATEMENTS"] };
}

/** Makes the file into which this process, and those it starts, note what they send. */
export function beginNotes(): void {
  const folder = mkdtempSync(path.join(tmpdir(), "sluice-statements-"));
  process.env["SLUICE_TEST_STATEMENTS"] = path.join(folder, "notes");
  writeFileSync(notesFile(), "");
}

/** The processes that sent a statement, and the statements that were refused. */
export function readNotes(): { readonly watched: readonly number[]; readonly faults: readonly string[] } {
  const lines = readFileSync(notesFile(), "utf8").split("\n");
  const after = (word: string) =>
    lines.filter((line) => line.startsWith(word)).map((line) => line.slice(word.length));
  return { watched: after("watched ").map(Number), faults: after("fault ") };
}

/** Removes the file. */
export function endNotes(): void {
  rmSync(path.dirname(notesFile()), { recursive: true, force: true });
}

function notesFile(): string {
  const file = process.env["SLUICE_TEST_STATEMENTS"];
  if (!file) throw new Error("no notes were begun");
  return file;
}
