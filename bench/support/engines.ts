import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";

import type { Workspace } from "../../test/support/workspace.ts";

/** The machine and the engines of a run. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly redis: string;
  readonly mysql: string;
}

type Engines = Pick<Workspace, "redis" | "sql">;

export async function describeMachine({ redis, sql }: Engines): Promise<Machine> {
  const [rows] = (await sql.raw("select version() as version")) as unknown as [{ version: string }[]];
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    kernel: release(),
    node: process.versions.node,
    redis: field(await redis.info("server"), "redis_version"),
    mysql: rows[0]?.version ?? "unknown",
  };
}

/** The engines' processes, as far as they run on this machine. */
export async function enginePids({ redis, sql }: Engines): Promise<{ redis: number[]; mysql: number[] }> {
  const [rows] = (await sql.raw("select @@pid_file as file")) as unknown as [{ file: string }[]];
  return {
    redis: runningAs(Number(field(await redis.info("server"), "process_id")), /redis/),
    mysql: runningAs(numberIn(rows[0]?.file ?? ""), /mariadb|mysql/),
  };
}

/** Bytes that Redis has allocated for its data: all but what it buffers for clients and for its file. */
export async function redisBytes({ redis }: Pick<Workspace, "redis">): Promise<number> {
  const memory = await redis.info("memory");
  const buffers = ["mem_clients_normal", "mem_aof_buffer"].map((name) => Number(field(memory, name)));
  return buffers.reduce((rest, bytes) => rest - bytes, Number(field(memory, "used_memory")));
}

function field(info: string, name: string): string {
  return new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1] ?? "";
}

function numberIn(file: string): number {
  try {
    return Number(readFileSync(file, "utf8"));
  } catch {
    return 0;
  }
}

/** An engine elsewhere may tell the number of a process that is another here. */
function runningAs(pid: number, name: RegExp): number[] {
  try {
    return name.test(readFileSync(`/proc/${pid}/comm`, "utf8")) ? [pid] : [];
  } catch {
    return [];
  }
}
