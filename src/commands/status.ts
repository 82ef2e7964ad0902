import type { Config } from "../config.ts";
import { readStatus, type Status } from "../ops/status.ts";
import { openConfiguredBuffer } from "./parts.ts";

/** Prints where Sluice stands, for a person or as JSON. */
export async function runStatus(config: Config, { json }: { json: boolean }): Promise<void> {
  const buffer = await openConfiguredBuffer(config, "draining");
  try {
    const status = await readStatus(buffer);
    console.log(json ? JSON.stringify(status, undefined, 2) : describe(status));
  } finally {
    buffer.close();
  }
}

function describe(status: Status): string {
  const { threshold, minute, manual } = status.flushed.rowsByTrigger;
  return [
    `pending       ${status.pending.messages} messages, ${status.pending.chats} chats, ${status.pendingBytes} bytes`,
    `oldest        ${status.oldestAgeSeconds.toFixed(1)} s`,
    `accepted      ${status.accepted.messages} messages, ${status.accepted.chats} chats`,
    `flushed rows  ${threshold} by threshold, ${minute} by the minute, ${manual} by hand`,
    `search index  ${status.index.owed.documents} owed for ${status.index.oldestAgeSeconds.toFixed(1)} s, ${status.index.indexed} indexed, ${status.index.refused} refused`,
    `dead letters  ${status.deadLetters}`,
    `partitions    ${status.partitionsDrained} of ${status.partitions} drained`,
  ].join("\n");
}
