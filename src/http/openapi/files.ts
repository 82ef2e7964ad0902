import { describeApi } from "./document.ts";
import { collectionOf, environmentOf } from "./postman.ts";

const asText = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`;

/** The files under `docs/` that are made from the description, by their path in it. */
export function describedFiles(): ReadonlyMap<string, string> {
  const document = describeApi();
  return new Map([
    ["openapi.json", asText(document)],
    ["postman/sluice.postman_collection.json", asText(collectionOf(document))],
    ["postman/sluice.postman_environment.json", asText(environmentOf(document))],
  ]);
}
