import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { waitFor } from "../support/wait-for.ts";
import { namesIn, readProjectFile } from "./files.ts";

/** Where Debian has it lies on the path of root alone. */
const env = { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin` };

/** What stands in the way of running nginx here; nothing where it can be run. */
export function lackOfNginx(): string | undefined {
  return spawnSync("nginx", ["-v"], { env }).error ? "there is no nginx on the PATH" : undefined;
}

/** nginx with the configuration of deploy/nginx, in front of servers on this machine. */
export class NginxStage {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(url: string, child: ChildProcess, folder: string) {
    this.url = url;
    this.#child = child;
    this.#folder = folder;
  }

  /** Answers what nginx says of the configuration, as it is but for the addresses. */
  static check(): string {
    const folder = layOut(1, ["127.0.0.1:1"]);
    const { stderr } = spawnSync("nginx", ["-t", ...argumentsFor(folder)], { env });
    rmSync(folder, { recursive: true });
    return stderr.toString();
  }

  /** Starts it before servers, each a host and a port; resolves when it takes connections. */
  static async open(servers: readonly string[]): Promise<NginxStage> {
    const port = await freePort();
    const folder = layOut(port, servers);
    const child = spawn("nginx", argumentsFor(folder), { env, stdio: "ignore" });
    const url = `http://127.0.0.1:${port}`;
    await waitFor(async () => (await fetch(`${url}/metrics`)).status === 404, { what: "nginx to listen" });
    return new NginxStage(url, child, folder);
  }

  async close(): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await exited;
    rmSync(this.#folder, { recursive: true });
  }
}

function argumentsFor(folder: string): string[] {
  // Started by root, its workers would be another user, who may not enter the folder.
  const directives = `daemon off;${process.getuid?.() === 0 ? " user root;" : ""}`;
  return ["-p", folder, "-c", path.join(folder, "nginx.conf"), "-g", directives];
}

/** Puts the files of deploy/nginx into a folder, with other addresses. */
function layOut(port: number, servers: readonly string[]): string {
  const folder = mkdtempSync(path.join(process.env["SLUICE_TEST_DIRECTORY"] ?? tmpdir(), "nginx-"));
  mkdirSync(path.join(folder, "tmp"));
  for (const name of namesIn("deploy/nginx")) {
    const text = readProjectFile(`deploy/nginx/${name}`)
      .replace("listen 8080;", `listen 127.0.0.1:${port};`)
      .replaceAll(" /tmp/", ` ${folder}/tmp/`)
      // Names are looked up while it runs in the containers' network alone, and by newer versions than Debian's.
      .replace(/^resolver .*$/m, "")
      .replace(/server api:3000 resolve (.*)$/m, (_, options: string) =>
        servers.map((server) => `server ${server} ${options}`).join("\n"),
      );
    writeFileSync(path.join(folder, name), text);
  }
  return folder;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
