/** What a simulated process has in place of the parts that ask Elasticsearch: each call becomes a step. */
import { errors } from "@elastic/elasticsearch";

import type { SearchIndex } from "../../src/search/search-index.ts";
import type { IndexServer } from "./index-server.ts";
import type { Steps } from "./steps.ts";

const names = ["the index"];

/** One index, which is built and searched from the beginning: how one is filled is not simulated. */
export function simulatedIndex(steps: Steps, server: IndexServer): SearchIndex {
  const step = <T>(name: string, detail: unknown, run: () => T): Promise<T> =>
    steps.call({
      engine: "elasticsearch",
      name,
      detail: () => JSON.stringify(detail),
      run: () => Promise.resolve(run()),
      failure: connectionLost,
    }) as Promise<T>;
  const parts = {
    indices: {
      targets: () => step("targets", "", () => names),
      refresh: () =>
        step("refresh", "", () => {
          server.refresh();
        }),
      isSearchable: () => step("is searchable", "", () => true),
    },
    writer: {
      write: (_targets: unknown, changes: Parameters<IndexServer["write"]>[0]) =>
        step("bulk", changes.map(shown), () => server.write(changes)),
      remove: (_targets: unknown, scope: Parameters<IndexServer["remove"]>[0]) =>
        step("delete by query", scope, () => {
          server.remove(scope);
        }),
    },
    reader: {
      stretch: (stretch: Parameters<IndexServer["stretch"]>[0]) =>
        step("search stretch", stretch, () => server.stretch(stretch)),
      find: (token: string, ids: readonly string[]) => step("search ids", ids, () => server.find(token, ids)),
      tokens: (after: string, limit: number) =>
        step("search tokens", after, () => server.tokens(after, limit)),
    },
    close: () => Promise.resolve(),
  };
  return parts as unknown as SearchIndex;
}

function shown({ key, version, document }: Parameters<IndexServer["write"]>[0][number]) {
  return [`${key.chatNumber}:${key.number}`, version, document?.text ?? "gone"];
}

function connectionLost(): Error {
  return new errors.ConnectionError("the connection was lost");
}
