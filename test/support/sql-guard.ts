import type { Knex } from "knex";

import { reservedNameIn } from "./reserved-words.ts";

/** What a statement of Sluice must not contain, as some engine it runs on does not know it or bends it. */
const forbidden: readonly (readonly [name: string, pattern: RegExp])[] = [
  ["AUTO_INCREMENT", /\bauto_increment\b/],
  ["FOREIGN KEY", /\bforeign\s+key\b/],
  ["REFERENCES", /\breferences\b/],
  ["TRIGGER", /\btrigger\b/],
  ["SKIP LOCKED", /\bskip\s+locked\b/],
  ["a shared lock", /\bfor\s+share\b|\block\s+in\s+share\s+mode\b/],
  ["GET_LOCK", /\bget_lock\b/],
  ["RETURNING", /\breturning\b/],
  ["SAVEPOINT", /\bsavepoint\b/],
  ["INSERT IGNORE", /\binsert\s+((low_priority|delayed|high_priority)\s+)?ignore\b/],
  ["REPLACE", /^\s*replace\b|;\s*replace\b/],
  // Of a killed one MariaDB may make an empty answer. What stands in FROM is no such subquery.
  [
    "a subquery",
    /\b(exists|in|any|all|some)\s*\(\s*select\b|[=<>,]\s*\(\s*select\b|\bselect\s*\(\s*select\b/,
  ],
  [
    "a LIMIT of an aggregate",
    /^\s*select\s+(count|max|min|sum)\s*\((?:(?!\bgroup\s+by\b|\bfrom\s*\().)*\blimit\b/s,
  ],
  ["INSTR or LOCATE", /\b(instr|locate)\s*\(/],
  ["a collation that TiDB lacks", /_520_ci\b|_0900_as|_uca1400_/],
  ["LIKE … ESCAPE", /\blike\b.*\bescape\b/s],
  [
    "a row alias",
    /\bvalues\b[^;]*\)\s*as\s+(\?\?|\w+)[^;]*\bon\s+duplicate\b|\bvalues\b[^;]*\)\s*as\s+\w+\s*$/s,
  ],
];

/** The migrations' own bookkeeping is knex's, of a few rows, and may lie on any one server. */
const bookkeeping = /^\s*\w[\w\s]*\bknex_migrations(_lock)?\b/;

/** Who migrates takes a turn, and does without where the engine knows no such lock. */
const turn = /^select get_lock\(\?, \d+\) as is_mine$/;

const partedTable = /\b(chats|messages)\b/;
const tokenColumn = /\bapplication_token\b/;
const dataStatement = /^\s*(select|insert|update|delete|replace|with)\b/;

/** What is wrong with a statement, or nothing. Values are bound and not part of it. Pure. */
export function faultOf(statement: string): string | undefined {
  const code = withoutStrings(statement).replaceAll("`", "").toLowerCase();
  if (bookkeeping.test(code) || turn.test(code)) return undefined;
  const found = forbidden.find(([, pattern]) => pattern.test(code));
  if (found) return `contains ${found[0]}`;
  if (dataStatement.test(code) && partedTable.test(code) && !namesToken(code)) {
    return "does not name the application's token";
  }
  return nameFaultOf(statement);
}

/** What is wrong with the names that a statement gives, a test's own as well. Pure. */
export function nameFaultOf(statement: string): string | undefined {
  const name = reservedNameIn(withoutStrings(statement).toLowerCase());
  return name === undefined ? undefined : `gives the name ${name}, which some server reserves`;
}

/** An INSERT names it among its columns, any other statement in a condition. */
function namesToken(code: string): boolean {
  if (/^\s*insert\b/.test(code)) return tokenColumn.test(code);
  const conditions = code.slice(code.search(/\b(where|on|using)\b/) + 1);
  return code !== conditions && tokenColumn.test(conditions);
}

/** A statement without its literals and comments. */
function withoutStrings(statement: string): string {
  return statement
    .replace(/'[^'\\]*(?:(?:\\.|'')[^'\\]*)*'|"[^"\\]*(?:(?:\\.|"")[^"\\]*)*"/gs, "''")
    .replace(/\/\*.*?\*\//gs, " ");
}

/** Settings for connections on which a test looks at what Sluice has done, with statements that Sluice may not use. */
export function ofTests(settings: Knex.Config): Knex.Config {
  return {
    ...settings,
    connection: { ...(settings.connection as object), connectAttributes: { [mark]: "1" } },
  };
}

/** Whether a connection with these attributes was made for a test's own statements. */
export function isOfTests(attributes: Readonly<Record<string, unknown>>): boolean {
  return mark in attributes;
}

const mark = "sluice_tests";
