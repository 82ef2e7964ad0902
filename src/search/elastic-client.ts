import { createHash } from "node:crypto";

import { Client, errors } from "@elastic/elasticsearch";

/** How long whoever indexes waits for an answer; a search waits for far less. */
const indexingTimeoutMs = 60_000;

/** Opens a client. Nothing is connected yet, and nothing is ever sent twice by it. */
export function openClient(url: string): Client {
  return new Client({ node: url, maxRetries: 0, requestTimeout: indexingTimeoutMs, compression: false });
}

/** The head of an installation's index names, made of its namespace: those take no capitals. */
export function indexPrefix(namespace: string): string {
  const isName = /^[a-z0-9][a-z0-9_-]*$/.test(namespace);
  const name = isName ? namespace : `x${createHash("sha256").update(namespace).digest("hex").slice(0, 24)}`;
  return `${name}-messages`;
}

/** The HTTP status of an answer that is an error, or nothing where there was no answer. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof errors.ResponseError ? error.statusCode : undefined;
}

/** An error's kind in words that hold nothing of what was asked: the message of an answer may quote it. */
export function withoutQuotes(error: unknown): Error {
  const status = statusOf(error);
  if (status !== undefined) return new Error(`status ${status}`);
  return error instanceof Error ? error : new Error("unknown");
}

/** Whether an error says that Elasticsearch is away, overloaded, locked or not set up: it passes, or is mended. */
export function isElasticOutage(error: unknown): boolean {
  if (error instanceof errors.ResponseError) return (error.statusCode ?? 500) !== 400;
  return error instanceof errors.ElasticsearchClientError;
}
