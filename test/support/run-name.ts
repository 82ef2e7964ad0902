import { randomBytes } from "node:crypto";

const prefix = "sluice_test_";
const run = randomBytes(4).toString("hex");

/** A name for a database and a namespace that nobody else has, and that tells which run made it. */
export function workspaceName(): string {
  return `${prefix}${run}_${randomBytes(4).toString("hex")}`;
}

/** Whether what bears this name was made by another run of the tests. */
export function isOfAnotherRun(name: string): boolean {
  return name.includes(prefix) && !name.includes(`${prefix}${run}_`);
}
