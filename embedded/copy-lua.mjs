// Part of npm run build: the scripts that Redis runs lie beside the compiled code that reads them.
import { cpSync } from "node:fs";
import path from "node:path";
import { root } from "./project.mjs";

const folder = path.join("src", "buffer", "lua");
cpSync(path.join(root, folder), path.join(root, "dist", folder), {
  recursive: true,
  filter: (source) => path.extname(source) === ".lua" || path.basename(source) === "lua",
});
