import type { Knex } from "knex";

/** What a statement of Sluice must not contain, as some engine it runs on does not know it or bends it. */
const forbidden: readonly (readonly [name: string, pattern: RegExp])[] = [
  ["AUTO_INCREMENT", /\bauto_increment\b/],
  ["FOREIGN KEY", /\bforeign\s+key\b/],
  ["REFERENCES", /\breferences\b/],
  ["TRIGGER", /\btrigger\b/],
  ["SKIP LOCKED", /\bskip\s+locked\b/],
  ["GET_LOCK", /\bget_lock\b/],
  ["RETURNING", /\breturning\b/],
  ["SAVEPOINT", /\bsavepoint\b/],
  ["INSERT IGNORE", /\binsert\s+((low_priority|delayed|high_priority)\s+)?ignore\b/],
  ["REPLACE", /^\s*replace\b|;\s*replace\b/],
  ["INSTR or LOCATE", /\b(instr|locate)\s*\(/],
  ["LIKE … ESCAPE", /\blike\b.*\bescape\b/s],
  [
    "a row alias",
    /\bvalues\b[^;]*\)\s*as\s+(\?\?|\w+)[^;]*\bon\s+duplicate\b|\bvalues\b[^;]*\)\s*as\s+\w+\s*$/s,
  ],
];

const partedTable = /\b(chats|messages)\b/;
const tokenColumn = /\bapplication_token\b/;
const dataStatement = /^\s*(select|insert|update|delete|replace|with)\b/;

/** What is wrong with a statement, or nothing. Values are bound and not part of it. Pure. */
export function faultOf(statement: string): string | undefined {
  const code = withoutStrings(statement).toLowerCase();
  const found = forbidden.find(([, pattern]) => pattern.test(code));
  if (found) return `contains ${found[0]}`;
  if (dataStatement.test(code) && partedTable.test(code) && !namesToken(code)) {
    return "does not name the application's token";
  }
  return undefined;
}

/** An INSERT names it among its columns, any other statement in a condition. */
function namesToken(code: string): boolean {
  if (/^\s*insert\b/.test(code)) return tokenColumn.test(code);
  const conditions = code.slice(code.search(/\b(where|on|using)\b/) + 1);
  return code !== conditions && tokenColumn.test(conditions);
}

/** A statement without its literals and comments, and with its quoted names bare. */
function withoutStrings(statement: string): string {
  return statement
    .replace(/'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"/gs, "''")
    .replace(/\/\*.*?\*\//gs, " ")
    .replaceAll("`", "");
}

/**
 * Looks at every statement that a pool sends from now on. A fault fails the statement before it is sent;
 * `faults` keeps it as well, for code that swallows errors.
 */
export function guardSql(pool: Knex): { readonly faults: readonly string[] } {
  const faults: string[] = [];
  pool.on("query", ({ sql }: { sql: string }) => {
    const fault = faultOf(sql);
    if (fault === undefined) return;
    faults.push(`${fault}: ${sql}`);
    throw new Error(`a statement ${fault}: ${sql}`);
  });
  return { faults };
}
