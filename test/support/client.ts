import { Agent, type IncomingHttpHeaders, request } from "node:http";

import { expectDocumented } from "../http/documented.ts";

/** An answer of the API, its body parsed. */
export interface Answer<T> {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: T;
}

/**
 * A plain client that keeps its connections, as many as there are calls at a time. It takes only answers
 * that the API's description has.
 */
export class Client {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #url: string;
  readonly #patienceMs: number;
  readonly #check: typeof expectDocumented;

  /**
   * A call fails when its connection is silent for longer than `patienceMs`, where 0 waits for ever, and when `check`
   * throws: of another version of Sluice answers are not described here.
   */
  constructor(url: string, patienceMs = 0, check = expectDocumented) {
    this.#url = url;
    this.#patienceMs = patienceMs;
    this.#check = check;
  }

  get<T = unknown>(path: string): Promise<Answer<T>> {
    return this.send<T>("GET", path);
  }

  post<T = unknown>(path: string, body?: unknown): Promise<Answer<T>> {
    return this.send<T>("POST", path, body === undefined ? undefined : JSON.stringify(body));
  }

  send<T = unknown>(
    method: string,
    path: string,
    body?: string,
    extraHeaders: NodeJS.Dict<string> = {},
  ): Promise<Answer<T>> {
    return new Promise((resolve, reject) => {
      const headers = { ...(body !== undefined && { "content-type": "application/json" }), ...extraHeaders };
      const options = { method, headers, agent: this.#agent, timeout: this.#patienceMs };
      const url = new URL(path, this.#url);
      const call = request(url, options, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          const status = answer.statusCode ?? 0;
          try {
            const headers = headersOf(answer.headers);
            this.#check({ method, path: url.pathname, status, headers, text });
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
            return;
          }
          const isJson = String(answer.headers["content-type"]).includes("json");
          resolve({
            status,
            headers: answer.headers,
            body: (isJson && text !== "" ? JSON.parse(text) : text) as T,
          });
        });
      });
      call.on("error", reject);
      call.on("timeout", () => call.destroy(new Error(`no answer within ${this.#patienceMs} ms`)));
      call.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function headersOf(raw: IncomingHttpHeaders): Headers {
  const pairs = Object.entries(raw).map(([name, value]): [string, string] => [name, String(value)]);
  return new Headers(pairs);
}
