// npm run postman: writes the files under docs/ that are made from the API's description.
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describedFiles } from "./files.ts";

const docs = fileURLToPath(new URL("../../../docs/", import.meta.url));

for (const [name, text] of describedFiles()) {
  const file = path.join(docs, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
  process.stdout.write(`wrote ${file}\n`);
}
