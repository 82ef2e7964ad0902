import type { Suite } from "mocha";

import { findElasticsearch } from "../../embedded/elasticsearch-home.mjs";
import { waitFor } from "./wait-for.ts";

/** What a start may take, on a machine that has much else to do. */
export const startTimeoutMs = 300_000;

/**
 * A suite that uses the Elasticsearch of the run. It answers before the suite's first hook; where there is none, the
 * tests of the suite are counted as skipped.
 */
export function describeWithElasticsearch(title: string, body: (this: Suite) => void): void {
  if (!process.env["ELASTICSEARCH_URL"]) {
    skip(title, "no ELASTICSEARCH_URL", body);
    return;
  }
  describe(title, function () {
    before(async function () {
      this.timeout(startTimeoutMs + 10_000);
      await waitFor(answers, { what: "Elasticsearch", timeoutMs: startTimeoutMs });
    });
    body.call(this);
  });
}

/** A suite that starts an Elasticsearch for itself; likewise skipped where none was fetched. */
export function describeWithPrivateElasticsearch(title: string, body: (this: Suite) => void): void {
  const found = findElasticsearch(process.env);
  if ("lack" in found) {
    skip(title, found.lack, body);
    return;
  }
  describe(title, function () {
    this.timeout(startTimeoutMs + 10_000);
    body.call(this);
  });
}

/** The address of the run's Elasticsearch, with a name and a password in it. */
export function elasticsearchUrl(): string {
  const url = process.env["ELASTICSEARCH_URL"];
  if (!url) throw new Error("only for suites of describeWithElasticsearch");
  return url;
}

/** Asks an Elasticsearch by plain HTTP; a name and password may be in the address. */
export async function askElasticsearch(
  target: string,
  { url = elasticsearchUrl(), ...init }: RequestInit & { url?: string | undefined } = {},
): Promise<Response> {
  const { username, password, origin } = new URL(url);
  const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
  const headers = {
    "content-type": "application/json",
    ...(username !== "" && { authorization: `Basic ${credentials.toString("base64")}` }),
  };
  return fetch(new URL(target, origin), { ...init, headers });
}

async function answers(): Promise<boolean> {
  const response = await askElasticsearch("/_cluster/health?wait_for_status=yellow&timeout=1s");
  await response.body?.cancel();
  return response.ok;
}

function skip(title: string, reason: string, body: (this: Suite) => void): void {
  describe.skip(`${title} (skipped: ${reason}; npm run fetch:elasticsearch)`, body);
}
