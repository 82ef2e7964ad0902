/** A copy of the repository whose program bears a mutation. */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import type { Mutation } from "./mutations.ts";

const root = path.join(import.meta.dirname, "..", "..");

/** What the simulation needs of the repository, but for the modules. */
const copied = ["src", "test", "migrations", "embedded", "package.json", "tsconfig.json"];

/**
 * The text of a mutated file.
 *
 * @throws where the program has changed so that the mutation does not fit
 */
export function mutated({ name, file, changes }: Mutation): string {
  return changes.reduce(
    (text, [from, to]) => {
      if (text.split(from).length !== 2) throw new Error(`"${name}" no longer fits ${file}: ${from}`);
      return text.replace(from, () => to);
    },
    readFileSync(path.join(root, "src", file), "utf8"),
  );
}

/** Where the simulation lies that runs a mutated program; `remove` takes the copy away. */
export function copyWith(mutation: Mutation): { readonly directory: string; remove(): void } {
  const text = mutated(mutation);
  const copy = mkdtempSync(path.join(tmpdir(), "sluice-mutation-"));
  for (const part of copied) cpSync(path.join(root, part), path.join(copy, part), { recursive: true });
  symlinkSync(path.join(root, "node_modules"), path.join(copy, "node_modules"));
  writeFileSync(path.join(copy, "src", mutation.file), text);
  const remove = () => {
    rmSync(copy, { recursive: true });
  };
  return { directory: path.join(copy, "test", "simulation"), remove };
}
