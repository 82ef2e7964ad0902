// Part of npm run build: the scripts that Redis runs, and the files that browsers get, lie beside the compiled code
// that reads them.
import { cpSync } from "node:fs";
import path from "node:path";
import { root } from "./project.mjs";

for (const folder of [path.join("src", "buffer", "lua"), path.join("src", "ops", "assets")]) {
  cpSync(path.join(root, folder), path.join(root, "dist", folder), { recursive: true });
}
