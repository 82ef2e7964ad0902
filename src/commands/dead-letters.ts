import type { Buffer } from "../buffer/buffer.ts";
import type { DeadLetter } from "../buffer/dead-letters.ts";
import type { Config } from "../config.ts";
import { OperatorError } from "./operator-error.ts";
import { openConfiguredBuffer } from "./parts.ts";

const pageSize = 100;

/** Prints every dead letter, the oldest first: a line each, or JSON with the texts. */
export async function listDeadLetters(config: Config, { json }: { json: boolean }): Promise<void> {
  await withBuffer(config, async (buffer) => {
    for (let partition = 0; partition < buffer.partitions; partition += 1) {
      for (let skip = 0; ; skip += pageSize) {
        const letters = await buffer.deadLetters.list(partition, skip, pageSize);
        for (const letter of letters) console.log(json ? JSON.stringify(letter) : describe(letter));
        if (letters.length < pageSize) break;
      }
    }
  });
}

/** Lists a dead letter for the next flush. @throws {OperatorError} where there is none that can be tried again */
export async function requeueDeadLetter(config: Config, id: string): Promise<void> {
  await withBuffer(config, async (buffer) => {
    if (!(await buffer.deadLetters.requeue(id))) {
      throw new OperatorError(`There is no dead letter ${id} that can be tried again.`);
    }
    console.log("It will be tried with the next flush.");
  });
}

/** Throws a dead letter away for good. @throws {OperatorError} where there is none */
export async function discardDeadLetter(config: Config, id: string): Promise<void> {
  await withBuffer(config, async (buffer) => {
    if (!(await buffer.deadLetters.discard(id))) throw new OperatorError(`There is no dead letter ${id}.`);
    console.log("It is gone; its number stays given.");
  });
}

async function withBuffer(config: Config, act: (buffer: Buffer) => Promise<void>): Promise<void> {
  const buffer = await openConfiguredBuffer(config, "draining");
  try {
    await act(buffer);
  } finally {
    buffer.close();
  }
}

function describe({ id, reason, diedAt, record, unreadable }: DeadLetter): string {
  const length = (record?.text ?? unreadable ?? "").length;
  return `${diedAt.toISOString()}  ${id}  ${reason}  ${length} characters`;
}
