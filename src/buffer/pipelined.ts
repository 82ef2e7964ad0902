import type { ChainableCommander } from "ioredis";

import type { Connection } from "./connections.ts";

/** Sends commands together; answers their replies. @throws what one of them was refused with */
export async function pipelined(
  connection: Connection,
  fill: (pipeline: ChainableCommander) => void,
): Promise<unknown[]> {
  const pipeline = connection.client.pipeline();
  fill(pipeline);
  const results = (await pipeline.exec()) ?? [];
  return Promise.all(
    results.map(([error, reply]) =>
      error ? connection.settled(Promise.reject(error)) : Promise.resolve(reply),
    ),
  );
}
