/**
 * Around every run: what its processes send to MySQL is watched, and what it leaves in the engines is looked for, which
 * may be somebody's own.
 */
import { listStored } from "./leftovers.ts";
import { beginNotes, endNotes, readNotes } from "./watched-statements.ts";

let before: ReadonlySet<string> | undefined;

export const mochaHooks = {
  async beforeAll(): Promise<void> {
    beginNotes();
    await import("./sql-watch.ts");
    before = await listStored(process.env);
  },

  async afterAll(): Promise<void> {
    const { faults } = readNotes();
    endNotes();
    const left = [...((await listStored(process.env)) ?? [])].filter((name) => before?.has(name) === false);
    const problems = [
      ...[...new Set(faults)].map((fault) => `a statement ${fault}`),
      ...left.map((name) => `left in the engines: ${name}`),
    ];
    if (problems.length > 0) throw new Error(`The run has\n${problems.join("\n")}`);
  },
};
