import type { AcceptRequest } from "../../src/buffer/accepting.ts";
import { encodeRecord } from "../../src/records/payload.ts";
import { newRecord } from "../../src/records/records.ts";

/** An operation id as long as those that Sluice gives, and different for each number. */
export function operationIdOf(number: number): string {
  return `operation-${String(number).padStart(6, "0")}`;
}

/** What is handed to the buffer for one new record. */
export function requestOf(operationId: string, text: string | null, createdAtMs = 1000): AcceptRequest {
  return { payload: encodeRecord(newRecord(operationId, createdAtMs, text)), createdAtMs };
}
