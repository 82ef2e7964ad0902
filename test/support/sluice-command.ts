import { once } from "node:events";

import { SluiceProcess } from "./sluice-process.ts";

/** Runs a command of Sluice to its end; answers its exit code and what it printed, in lines. */
export async function runCommand(
  command: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ code: number | null; lines: readonly string[] }> {
  const process = new SluiceProcess(command, env);
  await once(process.child, "close");
  return { code: process.child.exitCode, lines: process.noise };
}
