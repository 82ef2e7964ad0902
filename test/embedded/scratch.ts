import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** A new, empty folder; that of the whole run goes when the run has passed. */
export function scratchDirectory(): string {
  return mkdtempSync(path.join(process.env["SLUICE_TEST_DIRECTORY"] ?? tmpdir(), "embedded-"));
}

/** Puts a program of the shell into a folder. */
export function addScript(directory: string, name: string, script: string): void {
  const file = path.join(directory, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

/** Puts a Java into a folder that says of itself what the real one would, and can do nothing else. */
export function addJava(home: string, version: string, otherwise = "exit 1"): void {
  const properties = `echo "    java.home = ${home}"; echo "    java.specification.version = ${version}"`;
  addScript(
    home,
    "bin/java",
    `case "$1" in -XshowSettings*) { ${properties}; } >&2;; *) ${otherwise};; esac`,
  );
}

/** A new, empty folder with which every user of the machine can do what its own modes allow; whoever makes it removes it. */
export function openDirectory(): string {
  const directory = mkdtempSync(path.join(tmpdir(), "sluice-open-"));
  chmodSync(directory, 0o755);
  return directory;
}
