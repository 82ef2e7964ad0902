import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { modulesAreCurrent } from "../../embedded/modules.mjs";
import { scratchDirectory } from "./scratch.ts";

const koa = { version: "3.0.0", resolved: "koa-3.0.0.tgz" };
const other = { version: "3.1.0", resolved: "koa-3.1.0.tgz" };

describe("node modules", () => {
  let directory: string;

  beforeEach(() => {
    directory = scratchDirectory();
  });

  function lockFileSays(packages: object): void {
    writeFileSync(
      path.join(directory, "package-lock.json"),
      JSON.stringify({ packages: { "": {}, ...packages } }),
    );
  }

  function npmHasInstalled(packages: object): void {
    mkdirSync(path.join(directory, "node_modules"), { recursive: true });
    writeFileSync(path.join(directory, "node_modules", ".package-lock.json"), JSON.stringify({ packages }));
  }

  it("are not current before the first installation, nor when one was broken off", () => {
    lockFileSays({ "node_modules/koa": koa });
    expect(modulesAreCurrent(directory)).to.equal(false);
    mkdirSync(path.join(directory, "node_modules", "koa"), { recursive: true });
    expect(modulesAreCurrent(directory)).to.equal(false);
  });

  it("are current when npm was run by hand, and then need no comparison", () => {
    lockFileSays({
      "node_modules/koa": koa,
      "node_modules/for-another-system": { ...other, optional: true },
    });
    npmHasInstalled({ "node_modules/koa": koa });
    expect(modulesAreCurrent(directory)).to.equal(true);
    expect(existsSync(path.join(directory, "node_modules", ".sluice-lock"))).to.equal(true);
    expect(modulesAreCurrent(directory)).to.equal(true);
  });

  it("are out of date when the lock file changes", () => {
    lockFileSays({ "node_modules/koa": koa });
    npmHasInstalled({ "node_modules/koa": koa });
    expect(modulesAreCurrent(directory)).to.equal(true);
    lockFileSays({ "node_modules/koa": other });
    expect(modulesAreCurrent(directory)).to.equal(false);
    lockFileSays({ "node_modules/koa": koa, "node_modules/knex": other });
    expect(modulesAreCurrent(directory)).to.equal(false);
    lockFileSays({});
    expect(modulesAreCurrent(directory)).to.equal(false);
  });

  it("are out of date when they were removed after an installation", () => {
    lockFileSays({ "node_modules/koa": koa });
    npmHasInstalled({ "node_modules/koa": koa });
    expect(modulesAreCurrent(directory)).to.equal(true);
    rmSync(path.join(directory, "node_modules"), { recursive: true });
    expect(modulesAreCurrent(directory)).to.equal(false);
  });
});
