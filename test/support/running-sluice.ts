import { Client } from "./client.ts";
import { type SluiceProcess, startApi, startFlusher } from "./sluice-process.ts";
import { openWorkspace, type Workspace } from "./workspace.ts";

/** An API, a flusher, and a client of theirs, in a workspace of their own. */
export class RunningSluice {
  readonly workspace: Workspace;
  readonly #apiEnv: NodeJS.ProcessEnv;
  #api: SluiceProcess;
  #client: Client;
  #flusher: SluiceProcess;

  private constructor(
    workspace: Workspace,
    apiEnv: NodeJS.ProcessEnv,
    api: { process: SluiceProcess; url: string },
    flusher: SluiceProcess,
  ) {
    this.workspace = workspace;
    this.#apiEnv = apiEnv;
    this.#api = api.process;
    this.#client = new Client(api.url);
    this.#flusher = flusher;
  }

  /**
   * Starts them with settings that name other engines, or differ from the defaults otherwise. What would wait
   * for the minute is flushed each second. The API may have settings of its own.
   */
  static async start(
    settings: NodeJS.ProcessEnv = {},
    ofApi: NodeJS.ProcessEnv = {},
  ): Promise<RunningSluice> {
    const workspace = await openWorkspace({ FLUSH_CRON: "* * * * * *", ...settings });
    const apiEnv = { ...workspace.env, ...ofApi };
    const [api, flusher] = await Promise.all([startApi(apiEnv), startFlusher(workspace.env)]);
    return new RunningSluice(workspace, apiEnv, api, flusher);
  }

  get api(): SluiceProcess {
    return this.#api;
  }

  /** Of the API. */
  get client(): Client {
    return this.#client;
  }

  get flusher(): SluiceProcess {
    return this.#flusher;
  }

  /** Starts another flusher in place of one that was ended. */
  async startAnotherFlusher(): Promise<void> {
    this.#flusher = await startFlusher(this.workspace.env);
  }

  /** Starts another API process in place of one that was ended. */
  async startAnotherApi(): Promise<void> {
    const { process, url } = await startApi(this.#apiEnv);
    this.#client.close();
    [this.#api, this.#client] = [process, new Client(url)];
  }

  /** Ends both and starts them again in another environment. */
  async restartAs(env: NodeJS.ProcessEnv): Promise<void> {
    await Promise.all([this.api.end("SIGTERM"), this.#flusher.end("SIGTERM")]);
    const [api, flusher] = await Promise.all([startApi(env), startFlusher(env)]);
    this.#client.close();
    [this.#api, this.#client, this.#flusher] = [api.process, new Client(api.url), flusher];
  }

  /** The value of one of the API's metrics, its labels being part of the name. */
  async metric(name: string): Promise<number> {
    return metricIn((await this.client.get<string>("/metrics")).body, name);
  }

  /** Stops both and removes what they left. */
  async stop(): Promise<void> {
    this.client.close();
    await Promise.all([this.api.end("SIGTERM"), this.#flusher.end("SIGTERM")]);
    await this.workspace.close();
  }
}

/** The value of a metric among all of them. @throws where it is not there */
export function metricIn(text: string, name: string): number {
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${name} `));
  if (line === undefined) throw new Error(`there is no metric ${name}`);
  return Number(line.slice(name.length + 1));
}
