import { cpuOf } from "./cpu.ts";
import { enginePids } from "./engines.ts";
import { applyLoad, type LoadResult } from "./load.ts";
import { Program, sluice } from "./program.ts";
import type { Turn } from "./servers.ts";
import { evenSize, messageJson, Stage } from "./stage.ts";

/** Several API processes, each under a load of its own. */
export class ApiGroup {
  readonly name: string;
  readonly #stage: Stage;
  readonly #apis: readonly { program: Program; url: string }[];
  readonly #pathsFile: string;

  private constructor(name: string, stage: Stage, apis: readonly { program: Program; url: string }[]) {
    this.name = name;
    this.#stage = stage;
    this.#apis = apis;
    this.#pathsFile = stage.writePaths();
  }

  /** As many processes as partitions. */
  static async start(parts: number): Promise<ApiGroup> {
    const stage = await Stage.open({ PARTITIONS: String(parts) }, evenSize);
    const starts = Array.from({ length: parts }, () => Program.serve(sluice, ["api"], stage.env));
    return new ApiGroup(partsText(parts), stage, await Promise.all(starts));
  }

  get processes(): number {
    return this.#apis.length;
  }

  /** Posts with so many connections in all; what was pending after that is thrown away. */
  async post(connections: number, seconds: number): Promise<Turn> {
    const node = this.#apis.map(({ program }) => program.pid);
    const pids = { node, ...(await enginePids(this.#stage.workspace)) };
    const shared = { method: "POST", pathsFile: this.#pathsFile, body: messageJson, seconds } as const;
    const each = Math.max(1, Math.floor(connections / this.#apis.length));
    const { result: loads, cpu } = await cpuOf(pids, () =>
      Promise.all(this.#apis.map(({ url }) => applyLoad({ ...shared, url, connections: each }))),
    );
    await this.#stage.discardPending();
    const sum = sumOf(loads);
    const us = (used: number) => (used * 1e6) / sum.requests;
    return { ...sum, cpuUs: { node: us(cpu.node), redis: us(cpu.redis), mysql: us(cpu.mysql) } };
  }

  async close(): Promise<void> {
    for (const { program } of this.#apis) await program.end();
    await this.#stage.close();
  }
}

/** Names a group of as many processes as partitions. */
export function partsText(parts: number): string {
  return parts === 1 ? "1 partition, 1 process" : `${parts} partitions, ${parts} processes`;
}

/** What loads at the same time came to; of their times, the longest. */
function sumOf(loads: readonly LoadResult[]): LoadResult {
  const total = (of: (load: LoadResult) => number) => loads.reduce((sum, load) => sum + of(load), 0);
  const most = (of: (load: LoadResult) => number) => Math.max(...loads.map(of));
  return {
    requests: total(({ requests }) => requests),
    perSecond: total(({ perSecond }) => perSecond),
    p50Ms: most(({ p50Ms }) => p50Ms),
    p99Ms: most(({ p99Ms }) => p99Ms),
    p999Ms: most(({ p999Ms }) => p999Ms),
  };
}
