import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { Redis } from "ioredis";
import { root } from "../../embedded/project.mjs";
import { scratchDirectory } from "./scratch.ts";

/** The run inside this run: with addresses given it starts no engines. */
function runTests(source: string, args: readonly string[] = [], settings: NodeJS.ProcessEnv = {}) {
  const file = path.join(scratchDirectory(), "inner.test.ts");
  writeFileSync(file, source);
  const { status, stdout } = spawnSync(process.execPath, ["embedded/test.mjs", file, ...args], {
    cwd: root,
    env: {
      ...process.env,
      REDIS_URL: "redis://127.0.0.1:1",
      DATABASE_HOST: "127.0.0.1",
      SEARCH: "mysql",
      ...settings,
    },
    encoding: "utf8",
  });
  return { status, lastLine: stdout.trimEnd().split("\n").at(-1), output: stdout };
}

describe("npm test", () => {
  it("ends with the counts of what has passed, failed and been skipped", () => {
    const source = 'it("a", () => {}); it("b", () => { throw new Error("no"); }); it.skip("c", () => {});';
    expect(runTests(source)).to.include({ status: 1, lastLine: "1 passed, 1 failed, 1 skipped" });
  });

  it("names no skipped tests when there are none, and hands arguments on to mocha", () => {
    const source = 'it("yes", () => {}); it("no", () => { throw new Error("no"); });';
    expect(runTests(source, ["--grep", "yes"])).to.include({ status: 0, lastLine: "1 passed, 0 failed" });
  });

  it("counts a file that cannot be loaded as a failure", () => {
    expect(runTests('throw new Error("broken");')).to.include({
      status: 1,
      lastLine: "0 passed, 1 failed",
    });
  });

  it("ends, as a failure, when a test has left something open", () => {
    const source = 'it("a", () => { setInterval(() => {}, 1000); });';
    expect(runTests(source, [], { SLUICE_TEST_LEAK_GRACE_MS: "1000" })).to.include({
      status: 1,
      lastLine: "1 passed, 1 failed",
    });
  });

  it("counts a run that broke off as a failure", () => {
    expect(runTests('it("a", () => process.exit(3));')).to.include({
      status: 3,
      lastLine: "0 passed, 1 failed",
    });
  });

  it("fails when something is left in engines that were given to it, and names it", async () => {
    const key = `left-by-${process.pid}`;
    const source = `
      import { Redis } from "ioredis";
      it("forgets", async () => {
        const redis = new Redis(process.env.REDIS_URL);
        await redis.set("${key}", "1");
        redis.disconnect();
      });`;
    const { REDIS_URL, DATABASE_HOST } = process.env;
    const { status, lastLine, output } = runTests(source, [], { REDIS_URL, DATABASE_HOST });
    const redis = new Redis(String(REDIS_URL));
    await redis.del(key);
    redis.disconnect();
    expect({ status, lastLine }).to.deep.equal({ status: 1, lastLine: "1 passed, 1 failed" });
    expect(output).to.include(`left in the engines: key ${key}`);
  });
});
