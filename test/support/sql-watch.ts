/**
 * Loaded into every process of the tests that may speak to MySQL, before anything else: looks at each statement on its
 * way to the server, whoever sends it. One that some engine does not know fails and is noted, for code that swallows
 * errors; the run fails for it in the end (root-hooks.ts).
 */
import { appendFileSync } from "node:fs";

import { Connection } from "mysql2";

import { faultOf, isOfTests, nameFaultOf } from "./sql-guard.ts";

interface Watched {
  readonly config: { readonly connectAttributes?: Readonly<Record<string, unknown>> };
  query: Send;
  execute: Send;
}

type Send = (this: Watched, sql: unknown, ...rest: unknown[]) => unknown;

const { prototype } = Connection as unknown as { readonly prototype: Watched };
let isFirst = true;

for (const way of ["query", "execute"] as const) {
  const send = prototype[way];
  prototype[way] = function (sql, ...rest) {
    if (!isOfTests(this.config.connectAttributes ?? {})) watch(textOf(sql));
    else refuse(textOf(sql), nameFaultOf(textOf(sql)));
    return send.call(this, sql, ...rest);
  };
}

function watch(statement: string): void {
  if (isFirst) note(`watched ${process.pid}`);
  isFirst = false;
  refuse(statement, faultOf(statement));
}

function refuse(statement: string, fault: string | undefined): void {
  if (fault === undefined) return;
  note(`fault ${fault}: ${statement.slice(0, 500).replaceAll(/\s+/g, " ")}`);
  throw new Error(`a statement ${fault}: ${statement}`);
}

/** A line is written whole, so that processes do not write into each other's. */
function note(line: string): void {
  const file = process.env["SLUICE_TEST_STATEMENTS"];
  if (file) appendFileSync(file, `${line}\n`);
}

function textOf(sql: unknown): string {
  return typeof sql === "string" ? sql : ((sql as { sql?: string } | null)?.sql ?? "");
}
