import type { z } from "zod";

import { type About, aboutVariable } from "./kinds.ts";
import { sections } from "./variables.ts";

const head = `# Configuration

All settings are environment variables. \`npm start\`, \`npx sluice\` and docker compose also read \`.env\`, which lists every
one; what the environment sets goes first. An empty value means the default. A malformed value stops the start with a list
of everything wrong. \`npm run docs\` makes this page of \`src/config/variables.ts\`.
`;

/** What is said of each variable, section by section. */
export function describeVariables(): readonly (readonly [section: string, ReadonlyMap<string, About>])[] {
  return Object.entries<Record<string, z.ZodType>>(sections).map(([section, members]) => [
    section,
    new Map(Object.entries(members).map(([name, variable]) => [name, aboutVariable(variable)])),
  ]);
}

/** The text of docs/configuration.md. */
export function configurationPage(): string {
  return [head, ...describeVariables().map(([section, members]) => tableOf(section, members))].join("\n");
}

function tableOf(section: string, members: ReadonlyMap<string, About>): string {
  const rows = [...members].map(([name, { meaning, takes, fallback }]) => [
    code(name),
    takes,
    fallback === "" ? "none" : code(fallback),
    meaning,
  ]);
  return `## ${section}\n\n${alignedTable([["variable", "takes", "default", "meaning"], ...rows])}`;
}

const code = (words: string) => `\`${words}\``;

/** As the formatter would leave it. */
function alignedTable([head = [], ...rows]: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => (row[column] ?? "").length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |\n`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("");
}
