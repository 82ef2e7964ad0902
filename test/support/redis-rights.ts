import { readFileSync } from "node:fs";

const operations = new URL("../../docs/operations.md", import.meta.url);

/** The commands that the documentation asks for. */
export function documentedCommands(): string[] {
  const section = readFileSync(operations, "utf8").split("## Rights in Redis")[1] ?? "";
  const [, list = ""] = /```text\n([^`]*)```/.exec(section) ?? [];
  return list.split(/\s+/).filter((word) => word !== "");
}
