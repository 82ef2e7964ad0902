import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { format, resolveConfig } from "prettier";

import { root, workDirectory } from "../../embedded/project.mjs";
import { openWorkspace } from "../../test/support/workspace.ts";
import type { Benchmark, Findings, Settings } from "./benchmark.ts";
import { describeMachine, type Machine } from "./engines.ts";
import { markdown } from "./table.ts";

const resultDirectory = path.join(workDirectory, "bench");
const page = path.join(root, "docs", "performance.md");

interface Result extends Findings {
  readonly benchmark: string;
  readonly measuredAt: string;
  readonly machine: Machine;
  readonly settings: Readonly<Record<string, string>>;
}

/** Prints what was found and keeps it in .sluice/bench/<name>.json. */
export async function keepResult(
  { name }: Pick<Benchmark, "name">,
  { values }: Settings,
  findings: Findings,
): Promise<void> {
  const workspace = await openWorkspace();
  const machine = await describeMachine(workspace).finally(() => workspace.close());
  const measuredAt = new Date().toISOString();
  const result: Result = { benchmark: name, measuredAt, machine, settings: values, ...findings };
  mkdirSync(resultDirectory, { recursive: true });
  writeFileSync(resultFile(name), `${JSON.stringify(result, undefined, 2)}\n`);
  console.log(`\n${textOf(result)}`);
}

/** Puts the results that there are between their marks in docs/performance.md. */
export async function writePage(names: readonly string[]): Promise<void> {
  let text = readFileSync(page, "utf8");
  const options = { ...(await resolveConfig(page)), parser: "markdown" };
  for (const name of names.filter((one) => existsSync(resultFile(one)))) {
    const result = JSON.parse(readFileSync(resultFile(name), "utf8")) as Result;
    const section = await format(textOf(result), { ...options, proseWrap: "always" });
    text = replaceSection(text, name, section.trim());
  }
  writeFileSync(page, await format(text, options));
}

/** Puts a text in the place of what is between a benchmark's marks. @throws where there are none */
export function replaceSection(text: string, name: string, section: string): string {
  const [begin, end] = [`<!-- bench ${name} -->`, `<!-- end ${name} -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from)
    throw new Error(`docs/performance.md has no place for ${name}: ${begin} … ${end}`);
  return `${text.slice(0, from + begin.length)}\n\n${section}\n\n${text.slice(to)}`;
}

function textOf({ measuredAt, machine, settings, conditions, tables }: Result): string {
  const told = Object.entries(settings).map(([name, value]) => `--${name} ${value}`);
  const engines = `Node ${machine.node}, Redis ${machine.redis}, ${machine.mysql}`;
  const cores = `${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, Linux ${machine.kernel}`;
  const where = `Measured ${measuredAt.slice(0, 10)} on ${cores}; ${engines}; \`${told.join(" ")}\`.`;
  return [`${conditions} ${where}`, ...tables.map(markdown)].join("\n\n");
}

function resultFile(name: string): string {
  return path.join(resultDirectory, `${name}.json`);
}
