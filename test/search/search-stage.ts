import type { Client } from "@elastic/elasticsearch";

import { compare, type CompareParts, type Differences } from "../../src/search/compare.ts";
import { indexPrefix, openClient } from "../../src/search/elastic-client.ts";
import { ElasticEngine } from "../../src/search/elastic-engine.ts";
import { IndexReader } from "../../src/search/index-reader.ts";
import { IndexWriter } from "../../src/search/index-writer.ts";
import { Indices } from "../../src/search/indices.ts";
import { parseQuery, type Query } from "../../src/search/matching.ts";
import { rebuild, type Rebuilt } from "../../src/search/rebuild.ts";
import { StandIn } from "../../src/search/stand-in.ts";
import type { MessageKey, MessageText } from "../../src/search/documents.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

/** A suite's own corner of MySQL and of Elasticsearch, and the parts of search on both. */
export class SearchStage {
  readonly workspace: Workspace;
  readonly store: Store;
  readonly client: Client;
  readonly indices: Indices;
  readonly writer: IndexWriter;
  readonly elastic: ElasticEngine;
  readonly standIn: StandIn;

  private constructor(workspace: Workspace, url: string) {
    this.workspace = workspace;
    this.store = openStore(workspace.config.database, "writing");
    this.client = openClient(url);
    const prefix = indexPrefix(workspace.config.redis.namespace);
    this.indices = new Indices(this.client, prefix);
    this.writer = new IndexWriter(this.client);
    this.elastic = new ElasticEngine(this.client, prefix, 30_000);
    this.standIn = new StandIn(this.store.searching, 60_000);
  }

  static async open(url: string): Promise<SearchStage> {
    return new SearchStage(await openWorkspace({ ELASTICSEARCH_URL: url }), url);
  }

  /** Puts messages into MySQL, and the chats and applications they belong to. */
  async insert(messages: readonly MessageText[]): Promise<void> {
    const { sql } = this.workspace;
    const now = new Date();
    const times = { created_at: now, updated_at: now };
    const operation_id = "x".repeat(16);
    const tokens = [...new Set(messages.map(({ token }) => token))];
    await sql("applications").insert(tokens.map((token) => ({ token, name: token, ...times })));
    const chats = new Map(
      messages.map(({ token, chatNumber }) => [`${token}:${chatNumber}`, { token, chatNumber }]),
    );
    const rows = [...chats.values()].map(({ token, chatNumber }) => ({
      application_token: token,
      number: chatNumber,
      operation_id,
      ...times,
    }));
    for (let at = 0; at < rows.length; at += 1000) await sql("chats").insert(rows.slice(at, at + 1000));
    for (let at = 0; at < messages.length; at += 1000) {
      await sql("messages").insert(
        messages.slice(at, at + 1000).map(({ token, chatNumber, number, body }) => ({
          application_token: token,
          chat_number: chatNumber,
          number,
          body,
          operation_id,
          ...times,
        })),
      );
    }
  }

  async rebuild(over: Partial<Parameters<typeof rebuild>[0]> = {}): Promise<Rebuilt> {
    const { indices, writer, store } = this;
    const signal = new AbortController().signal;
    return rebuild({
      indices,
      writer,
      messages: store.searching,
      signal,
      onProgress: () => undefined,
      ...over,
    });
  }

  /** How the index differs from MySQL, nothing being owed. */
  async differences(over: Partial<CompareParts> = {}): Promise<Differences> {
    return compare({
      messages: this.store.searching,
      index: new IndexReader(this.client, this.indices.alias),
      accepts: () => true,
      owedAmong: () => Promise.resolve(new Set()),
      mend: () => Promise.resolve(),
      mendRemoval: () => Promise.resolve(),
      onProgress: () => undefined,
      signal: new AbortController().signal,
      ...over,
    });
  }

  /** The numbers found in a chat by the index. */
  async found(chat: Omit<MessageKey, "number">, text: string): Promise<number[]> {
    const hits = await this.elastic.find({ ...chat, query: queryOf(text), except: [], limit: 10_000 });
    return hits.map(({ number }) => number);
  }

  async close(): Promise<void> {
    await this.indices.removeAll();
    await this.client.close();
    await this.store.close();
    await this.workspace.close();
  }
}

export function queryOf(text: string): Query {
  const parsed = parseQuery(text);
  if (parsed.kind !== "query") throw new Error(`${parsed.kind}: ${text}`);
  return parsed.query;
}

/** The messages of one chat, numbered from 1. */
export function chatOf(
  { token, chatNumber }: Omit<MessageKey, "number">,
  bodies: readonly string[],
): MessageText[] {
  return bodies.map((body, at) => ({ token, chatNumber, number: at + 1, body }));
}
