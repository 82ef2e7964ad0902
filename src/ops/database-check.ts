import type { Store } from "../store/store.ts";
import { type Check, inTime, type Refusal, tooLate } from "./engine-check.ts";

const wrongPassword: Refusal = {
  detail: "refuses the user or the password, or wants TLS of it",
  remedy:
    "Mend DATABASE_USERNAME and DATABASE_PASSWORD and start Sluice again, or set the password in MySQL.",
};

const tooFewRights: Refusal = {
  detail: "gives the user too few rights",
  remedy: "Grant it SELECT, INSERT, UPDATE and DELETE on the database.",
};

const locked: Refusal = {
  detail: "has locked the user's account",
  remedy: "Unlock it: ALTER USER … ACCOUNT UNLOCK.",
};

const expired: Refusal = {
  detail: "says that the user's password has expired",
  remedy: "Set it anew in MySQL: ALTER USER … IDENTIFIED BY the same.",
};

const full: Refusal = {
  detail: "has no connection left for this user",
  remedy: "Raise max_connections or the user's limits, or run fewer processes.",
};

const tooSlow: Refusal = {
  detail: "ends statements before they are done",
  remedy: "Raise max_statement_time, max_execution_time or the user's limit.",
};

const wantsTls: Refusal = {
  detail: "wants TLS",
  remedy: "Let the user in without it: Sluice does not encrypt its connections to MySQL.",
};

const aborted: Refusal = {
  detail: "ends each new connection at once",
  remedy: "Look at the server's log, and whether its init_connect can be carried out.",
};

/** By the server's numbers. What else it says passes, or is told by what is written. */
const refusals: ReadonlyMap<unknown, Refusal> = new Map([
  [1040, full],
  [1044, tooFewRights],
  [1045, wrongPassword],
  [1142, tooFewRights],
  [1143, tooFewRights],
  [1184, aborted],
  [1203, full],
  [1226, full],
  [1698, wrongPassword],
  [1820, expired],
  [1862, expired],
  [1969, tooSlow],
  [3024, tooSlow],
  [3118, locked],
  [3159, wantsTls],
  [4151, locked],
]);

const notMigrated: Refusal = {
  detail: "is not migrated: it lacks tables that this program needs",
  remedy: "Run sluice migrate. Nothing else has to be done: work goes on by itself.",
};

/** Looks whether MySQL answers and has the tables of this program, within a second whatever it does. */
export async function checkDatabase(store: Store): Promise<Check> {
  return inTime(look(store), silent);
}

/** Its absence is what the buffer is for, and leaves the API ready. */
const away = { name: "database", ready: true, answers: false } as const;

const silent: Check = { ...away, detail: tooLate };

async function look(store: Store): Promise<Check> {
  try {
    if (await store.isMigrated()) return { ...away, answers: true, detail: "answers" };
    return { ...away, answers: true, ready: false, ...notMigrated };
  } catch (error) {
    const refusal = refusals.get((error as { readonly errno?: unknown }).errno);
    return { ...away, ...(refusal ?? { detail: "does not answer" }) };
  }
}
