import path from "node:path";
import { expect } from "chai";
import { findBinaries, provideBinaries, thisMachine, type Machine } from "../../embedded/binaries.mjs";
import { addScript, scratchDirectory } from "./scratch.ts";

const both = { redis: true, database: true };

/** A program that prints one line, whatever it is asked. */
function addProgram(directory: string, name: string, line: string): void {
  addScript(directory, name, `echo "${line}"`);
}

/** A machine with nothing on it, where installing adds what `installed` says. */
function bareMachine(options: { canInstall: boolean; installed?: Record<string, [string, string]> }) {
  const directory = scratchDirectory();
  const asked: string[][] = [];
  const machine: Machine = {
    directories: [directory],
    canInstall: options.canInstall,
    install(packages) {
      asked.push(packages);
      for (const name of packages)
        addProgram(directory, ...(options.installed?.[name] ?? (["nothing", ""] as const)));
    },
  };
  return { machine, asked, directory };
}

const debian: Record<string, [string, string]> = {
  "redis-tools": ["redis-check-rdb", "Redis server v=7.0.15"],
  "mariadb-server-core": ["mariadbd", "mariadbd Ver 10.11.6-MariaDB"],
};

describe("the programs of the engines", () => {
  it("are installed where that can be done", () => {
    const { machine, asked, directory } = bareMachine({ canInstall: true, installed: debian });
    const binaries = provideBinaries(both, machine, () => undefined);
    expect(asked).to.deep.equal([["redis-tools", "mariadb-server-core"]]);
    expect(binaries).to.deep.equal({
      redis: { command: path.join(directory, "redis-check-rdb"), argv0: "redis-server" },
      database: { command: path.join(directory, "mariadbd"), flavour: "mariadb" },
    });
  });

  it("are installed only as far as they are missing and wanted", () => {
    const half = bareMachine({ canInstall: true, installed: debian });
    addProgram(half.directory, "mysqld", "mysqld Ver 8.4.0 for Linux (MySQL Community Server - GPL)");
    expect(provideBinaries(both, half.machine, () => undefined).database?.flavour).to.equal("mysql");
    expect(half.asked).to.deep.equal([["redis-tools"]]);

    const other = bareMachine({ canInstall: true, installed: debian });
    provideBinaries({ redis: false, database: true }, other.machine, () => undefined);
    expect(other.asked).to.deep.equal([["mariadb-server-core"]]);
  });

  it("are named, with both ways out, where they cannot be installed", () => {
    const { machine } = bareMachine({ canInstall: false });
    expect(() => provideBinaries(both, machine, () => undefined))
      .to.throw("apt-get install --no-install-recommends redis-tools mariadb-server-core")
      .with.property("message")
      .that.includes("docker compose up")
      .and.includes("REDIS_URL")
      .and.includes("DATABASE_HOST");
  });

  it("are still named when an installation did not bring them", () => {
    const { machine } = bareMachine({ canInstall: true });
    expect(() => provideBinaries(both, machine, () => undefined)).to.throw("docker compose up");
  });

  it("are the first on the PATH, of whatever vendor", () => {
    const [first, second] = [scratchDirectory(), scratchDirectory()];
    addProgram(first, "valkey-server", "Valkey server v=9.1.2");
    addProgram(first, "mysqld", "mysqld Ver 8.4.0 for Linux (MySQL Community Server - GPL)");
    addProgram(second, "redis-server", "Redis server v=7.0.15");
    addProgram(second, "mariadbd", "mariadbd Ver 10.11.6-MariaDB");
    expect(findBinaries(both, { directories: [first, second] })).to.deep.equal({
      redis: { command: path.join(first, "valkey-server"), argv0: "redis-server" },
      database: { command: path.join(first, "mysqld"), flavour: "mysql" },
    });
  });

  it("do not include a redis-check-rdb that is only a checker", () => {
    const { machine, directory } = bareMachine({ canInstall: false });
    addProgram(directory, "redis-check-rdb", "Usage: redis-check-rdb <rdb-file-name>");
    expect(findBinaries(both, machine).redis).to.equal(undefined);
  });

  it("are looked for beyond the PATH of an ordinary user", () => {
    expect(thisMachine({ PATH: "/opt/bin" }).directories).to.include.members(["/opt/bin", "/usr/sbin"]);
  });
});
