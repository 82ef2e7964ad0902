import { readFileSync } from "node:fs";

import { z } from "zod";

const profile = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string() }),
      children: z.array(z.number()).default([]),
    }),
  ),
  startTime: z.number(),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

/** What `node --cpu-prof` writes; times are microseconds of the machine's monotonic clock. */
export type CpuProfile = z.infer<typeof profile>;
type Node = CpuProfile["nodes"][number];

/** A function, as it was called from where it stands in the tree. */
export interface Frame {
  readonly name: string;
  /** Its package, `node:` module or file of Sluice; "native" for what is no JavaScript. */
  readonly place: string;
  selfUs: number;
  totalUs: number;
  readonly children: Frame[];
}

/** A stretch of the machine's monotonic clock, in microseconds. */
export interface Stretch {
  readonly fromUs: number;
  readonly toUs: number;
}

const native = "native";

/** @throws where the file is no profile */
export function readCpuProfile(file: string): CpuProfile {
  return profile.parse(JSON.parse(readFileSync(file, "utf8")));
}

/** When something was done, on the clock that profiles have. */
export async function timed<T>(act: () => Promise<T>): Promise<{ result: T; stretch: Stretch }> {
  const nowUs = () => Number(process.hrtime.bigint() / 1000n);
  const fromUs = nowUs();
  const result = await act();
  return { result, stretch: { fromUs, toUs: nowUs() } };
}

/** The calls of a stretch as a tree, the greatest first, without the time in which nothing was done. */
export function callTree(recorded: CpuProfile, stretch: Stretch): Frame {
  const selfUs = timesOf(recorded, stretch);
  const nodes = new Map(recorded.nodes.map((node) => [node.id, node]));
  const [first] = recorded.nodes;
  if (!first) throw new Error("a profile without a call");
  const root: Frame = { name: "all", place: native, selfUs: 0, totalUs: 0, children: [] };
  for (const id of first.children) addCall(root, id, nodes, selfUs);
  root.totalUs = sum(root.children);
  return root;
}

/** Microseconds of each node by itself. */
function timesOf({ startTime, samples, timeDeltas }: CpuProfile, { fromUs, toUs }: Stretch) {
  const times = new Map<number, number>();
  let atUs = startTime;
  for (const [nth, id] of samples.entries()) {
    atUs += timeDeltas[nth] ?? 0;
    // A sample stands for the time until the next one.
    const us = timeDeltas[nth + 1] ?? 0;
    if (atUs >= fromUs && atUs < toUs) times.set(id, (times.get(id) ?? 0) + us);
  }
  return times;
}

/** Adds a node and what it calls; the same function at two of its lines is one frame. */
function addCall(
  caller: Frame,
  id: number,
  nodes: ReadonlyMap<number, Node>,
  selfUs: ReadonlyMap<number, number>,
): void {
  const node = nodes.get(id);
  if (!node || node.callFrame.functionName === "(idle)") return;
  const name = node.callFrame.functionName || "(anonymous)";
  const place = placeOf(node.callFrame.url);
  let frame = caller.children.find((one) => one.name === name && one.place === place);
  if (!frame) caller.children.push((frame = { name, place, selfUs: 0, totalUs: 0, children: [] }));
  frame.selfUs += selfUs.get(id) ?? 0;
  for (const child of node.children) addCall(frame, child, nodes, selfUs);
  frame.totalUs = frame.selfUs + sum(frame.children);
  caller.children.sort((a, b) => b.totalUs - a.totalUs);
}

const sum = (frames: readonly Frame[]) => frames.reduce((total, { totalUs }) => total + totalUs, 0);

/** Where code is, without the folders of the machine it ran on. */
export function placeOf(url: string): string {
  if (url === "") return native;
  if (url.startsWith("node:")) return url;
  const [, inPackage] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  if (inPackage !== undefined) return inPackage;
  const [, inSluice] = /\/dist\/src\/(.+)\.js$/.exec(url) ?? [];
  return inSluice === undefined ? (url.split("/").at(-1) ?? "") : `sluice/${inSluice}`;
}

/** The functions that take most by themselves, wherever they are called from. */
export function greatestSelfTimes(root: Frame, count: number): Omit<Frame, "children" | "totalUs">[] {
  const functions = new Map<string, { name: string; place: string; selfUs: number }>();
  const visit = ({ name, place, selfUs, children }: Frame) => {
    const key = `${place} ${name}`;
    const known = functions.get(key) ?? { name, place, selfUs: 0 };
    functions.set(key, { ...known, selfUs: known.selfUs + selfUs });
    children.forEach(visit);
  };
  visit(root);
  return [...functions.values()].sort((a, b) => b.selfUs - a.selfUs).slice(0, count);
}
