// npm run bench (embedded/bench.mjs) runs this with engines whose addresses are in the environment.
import { Command } from "commander";

import { accept } from "./accept.ts";
import { costs } from "./costs.ts";
import { drain } from "./drain.ts";
import { growth } from "./growth.ts";
import { memory } from "./memory.ts";
import { profile } from "./profile.ts";
import { scale } from "./scale.ts";
import { search } from "./search.ts";
import { start } from "./start.ts";
import { type Benchmark, Settings } from "./support/benchmark.ts";
import { keepResult, writePage } from "./support/report.ts";
import { sustained } from "./sustained.ts";
import { workers } from "./workers.ts";

const benchmarks: readonly Benchmark[] = [
  accept,
  costs,
  workers,
  drain,
  scale,
  sustained,
  growth,
  memory,
  start,
  profile,
  search,
];

const program = new Command("npm run bench")
  .usage("<name> [-- options]")
  .description("Measures Sluice, on engines of its own.");

for (const benchmark of benchmarks) {
  const command = program.command(benchmark.name).description(benchmark.about);
  for (const [name, { about, value }] of Object.entries(benchmark.options))
    command.option(`--${name} <numbers>`, about, value);
  command.action((options: Record<string, string>) => run(benchmark, new Settings(options)));
}

program.command("all").description("each of these, one after another");

program
  .command("report")
  .description("write what was measured last into docs/performance.md")
  .action(() => writePage(benchmarks.map(({ name }) => name)));

program.command("names", { hidden: true }).action(() => {
  for (const { name } of benchmarks) console.log(name);
});

async function run(benchmark: Benchmark, settings: Settings): Promise<void> {
  await keepResult(benchmark, settings, await benchmark.run(settings));
}

if (process.argv.length > 2) await program.parseAsync();
else program.outputHelp();
