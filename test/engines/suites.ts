import { readdirSync } from "node:fs";
import path from "node:path";

/** Folders whose tests are about no engine, or run for as long as all the others. */
const leftOut = [
  "bench",
  "config",
  "crash",
  "deploy",
  "embedded",
  "history",
  "observed",
  "scale-out",
  "simulation",
  "support",
];

/** The tests that tell whether an engine will do. */
export function suitesOfEngines(): string[] {
  const folders = readdirSync("test", { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !leftOut.includes(entry.name))
    .map(({ name }) => path.join("test", name));
  return folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => path.join(folder, name)),
  );
}
