import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { findJava } from "../../embedded/java.mjs";
import { addJava, addScript, openDirectory } from "./scratch.ts";

describe("the Java that runs Elasticsearch", () => {
  let directory: string;
  let system: string;

  beforeEach(() => {
    directory = openDirectory();
    system = path.join(directory, "jvm");
    mkdirSync(system);
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  function add(name: string, version: string): string {
    const home = path.join(directory, name);
    addJava(home, version);
    return home;
  }

  it("is the one the environment names, then one of the PATH, then one the system has", () => {
    const named = add("named", "21");
    const onPath = add("on-path", "22");
    const installed = add("jvm/java-25", "25");
    const PATH = path.join(onPath, "bin");
    expect(findJava(21, { JAVA_HOME: named, PATH }, system)).to.deep.equal({ home: named, version: 21 });
    expect(findJava(21, { JAVA_HOME_21_X64: named, PATH }, system)?.home).to.equal(named);
    expect(findJava(21, { JAVA_HOME: "", PATH }, system)?.home).to.equal(onPath);
    expect(findJava(21, {}, system)?.home).to.equal(installed);
  });

  it("is new enough, whatever stands before it", () => {
    const old = add("old", "17");
    const older = add("older", "1.8");
    const installed = add("jvm/java-25", "25");
    const env = { JAVA_HOME: old, PATH: path.join(older, "bin") };
    expect(findJava(21, env, system)?.home).to.equal(installed);
    expect(findJava(26, env, system)).to.equal(undefined);
  });

  it("is no program that only bears its name", () => {
    addScript(directory, "bin/java", "echo hello");
    expect(findJava(21, { PATH: path.join(directory, "bin") }, system)).to.equal(undefined);
    expect(findJava(21, { JAVA_HOME: "/nowhere", PATH: "::relative" }, path.join(system, "none"))).to.equal(
      undefined,
    );
  });
});
