import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

import { root as projectRoot } from "../embedded/project.mjs";
import type { Benchmark, Findings, Settings } from "./support/benchmark.ts";
import {
  callTree,
  type Frame,
  greatestSelfTimes,
  readCpuProfile,
  type Stretch,
  timed,
} from "./support/cpu-profile.ts";
import { Flushers } from "./support/drainers.ts";
import { flameGraph } from "./support/flame-graph.ts";
import { scratchDirectory } from "./support/scratch.ts";
import { Server, sluiceKind } from "./support/servers.ts";
import { Stage } from "./support/stage.ts";
import { figure, type Table } from "./support/table.ts";

const connections = 64;
const told = 10;
/** What is narrower in a flame graph cannot be read. */
const leastShare = 0.005;
const directory = path.join(projectRoot, "docs", "profiles");

/** Where the time of some records went. */
interface Profiled {
  readonly tree: Frame;
  readonly count: number;
}

export const profile: Benchmark = {
  name: "profile",
  about: "where the time of the API and of the flusher goes; draws docs/profiles/*.svg",
  options: {
    seconds: { about: "length of the load", value: "20" },
    messages: { about: "messages that are drained", value: "400000" },
  },
  async run(settings): Promise<Findings> {
    const accepted = await profileAccepting(settings);
    const drained = await profileDraining(settings);
    draw("accept", "The API accepting messages, 64 connections", accepted);
    draw("drain", "The flusher draining what is pending", drained);
    return {
      conditions:
        `\`node --cpu-prof\`, a sample a millisecond: of an API process, compiled and warm, while ${connections} ` +
        `connections post for ${settings.number("seconds")} s, and of a flusher that drains ` +
        `${figure(drained.count)} messages. Time in which a process waits for something to do is left out; time in which others ` +
        "had its core is not, so on a busy machine what calls the system looks too large. Profiling itself takes time as well.",
      tables: [
        selfTimes("accepting, by itself", "µs a POST", accepted),
        selfTimes("draining, by itself", "µs a row", drained),
      ],
      figures: {},
    };
  },
};

async function profileAccepting(settings: Settings): Promise<Profiled> {
  const file = path.join(scratchDirectory, "accept.cpuprofile");
  const server = await Server.start({ ...sluiceKind, nodeFlags: profilingTo(file) });
  const { result, stretch } = await act().finally(() => server.close());
  return { tree: treeOf(file, stretch), count: result.requests };

  async function act() {
    // What is called often is compiled by then.
    await server.post(connections, 5);
    await server.stage.discardPending();
    return timed(() => server.post(connections, settings.number("seconds")));
  }
}

async function profileDraining(settings: Settings): Promise<Profiled> {
  const file = path.join(scratchDirectory, "drain.cpuprofile");
  const count = settings.number("messages");
  const stage = await Stage.open();
  try {
    const flushers = await Flushers.start(stage, { nodeFlags: profilingTo(file) });
    const { stretch } = await flushers
      .flush(Math.min(50_000, count))
      .then(() => timed(() => flushers.flush(count)))
      .finally(() => flushers.end());
    return { tree: treeOf(file, stretch), count };
  } finally {
    await stage.close();
  }
}

/** The profile is written when the process ends. */
function profilingTo(file: string): string[] {
  return ["--cpu-prof", `--cpu-prof-dir=${path.dirname(file)}`, `--cpu-prof-name=${path.basename(file)}`];
}

function treeOf(file: string, stretch: Stretch): Frame {
  return callTree(readCpuProfile(file), stretch);
}

function draw(name: string, title: string, { tree }: Profiled): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, `${name}.svg`), flameGraph(tree, title, leastShare));
}

function selfTimes(title: string, unit: string, { tree, count }: Profiled): Table {
  const rows = greatestSelfTimes(tree, told).map(({ name, place, selfUs }) => [
    codeText(name),
    place,
    `${((selfUs / tree.totalUs) * 100).toFixed(1)} %`,
    figure(selfUs / count),
  ]);
  return {
    title,
    head: ["in", "share", unit],
    rows: [...rows, ["all", "", "100 %", figure(tree.totalUs / count)]],
  };
}

/** The name of a regular expression is its pattern, which a table may not be able to hold. */
function codeText(name: string): string {
  return `\`${name.length > 40 || /[|`]/.test(name) ? `${name.slice(0, 30).replace(/[|`]/g, "·")}…` : name}\``;
}
