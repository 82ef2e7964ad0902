/**
 * What an error of MySQL (or of the way to it) means for the one who wrote. By code, never by a part of a
 * message. Codes: MySQL 8.4 and MariaDB 10.11 server error references, the XA errors among them, which a front gives
 * that commits over several back ends; 12605 to 12701 are Spider's own, 8002 to 9007 TiDB's.
 */
export type FailureClass =
  /** The server is away, overloaded or read-only: the same statement will succeed when it is back. */
  | "outage"
  /** Another transaction was in the way: the same statement may succeed at once. */
  | "contention"
  /** A row with that key is there. */
  | "duplicate"
  /** MySQL refuses the content of a row. */
  | "bad-data"
  /** A UNIQUE index that is not Sluice's refuses a row for what another row holds, which that may give up. */
  | "not-unique"
  /** The statement is larger than the server takes. */
  | "too-large"
  /** The server says no for a reason of which it is not known here whether the content or the schema is at fault. */
  | "unlisted"
  /** Anything else: a fault in Sluice, in the schema or in rights. No row is to blame. */
  | "defect";

const byNumber: readonly (readonly [FailureClass, readonly number[]])[] = [
  [
    "contention",
    [
      1020, 1205, 1213, 1397, 1399, 1401, 1402, 1412, 1440, 1613, 1614, 8002, 8005, 8022, 8028, 9004, 9007,
      12605, 12606,
    ],
  ],
  ["duplicate", [1062, 1586]],
  ["too-large", [1153, 1301, 8004, 8025]],
  ["bad-data", [1048, 1264, 1265, 1292, 1300, 1366, 1406, 1411, 1690, 3140, 3819, 3854, 3988, 4025]],
  [
    "outage",
    [
      3, 5, 20, 1015, 1016, 1021, 1023, 1024, 1026, 1030, 1037, 1038, 1040, 1041, 1042, 1043, 1044, 1045,
      1047, 1053, 1077, 1078, 1079, 1080, 1114, 1129, 1130, 1135, 1152, 1154, 1155, 1156, 1157, 1158, 1159,
      1160, 1161, 1180, 1184, 1188, 1189, 1190, 1203, 1206, 1223, 1226, 1290, 1317, 1429, 1698, 1792, 1820,
      1836, 1862, 1927, 1969, 2002, 2003, 2006, 2013, 3024, 3032, 3118, 3159, 3168, 4031, 4151, 9001, 9002,
      9003, 9005, 12701,
    ],
  ],
  // Tables, columns, routines and rights that are not as Sluice needs them, a damaged table; and 1105, which says nothing.
  [
    "defect",
    [
      1046, 1049, 1051, 1054, 1064, 1105, 1109, 1136, 1142, 1143, 1146, 1148, 1193, 1194, 1195, 1227, 1235,
      1267, 1271, 1273, 1286, 1305, 1347, 1356, 1364, 1370, 1419, 1442, 1449, 1471, 1712, 1812, 1814, 1815,
      1877, 1932,
    ],
  ],
];

const classOfNumber = new Map(
  byNumber.flatMap(([kind, codes]) => codes.map((code) => [code, kind] as const)),
);

/** Codes that Node, the driver and the pool use where no server answered. */
const outageCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENOENT",
  "PROTOCOL_CONNECTION_LOST",
  "PROTOCOL_SEQUENCE_TIMEOUT",
  "PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR",
  "PROTOCOL_ENQUEUE_AFTER_QUIT",
  "PROTOCOL_PACKETS_OUT_OF_ORDER",
  "HANDSHAKE_NO_SSL_SUPPORT",
]);

/** Codes with which a connection ends that there was. */
const lossCodes = new Set(["ECONNRESET", "ECONNABORTED", "EPIPE", "PROTOCOL_CONNECTION_LOST"]);
const lossNumbers = new Set([1158, 1160, 2006, 2013, 12701]);

/** Names of errors without a code: the pool had no connection to give in time. */
const outageNames = new Set(["KnexTimeoutError", "TimeoutError"]);

/** Thrown in place of a duplicate where no row has the key of what was written, with the server's own code and words. */
export class NotUniqueError extends Error {
  readonly code: string | undefined;
  readonly errno: unknown;
  readonly sqlMessage: unknown;

  constructor(duplicate: unknown) {
    super("a UNIQUE index that is not Sluice's refuses a row", { cause: duplicate });
    this.name = "NotUniqueError";
    this.code = errorCode(duplicate);
    const { errno, sqlMessage } = duplicate as { readonly errno?: unknown; readonly sqlMessage?: unknown };
    this.errno = errno;
    this.sqlMessage = sqlMessage;
  }
}

/** Classes an error thrown by a write or read of the store. Pure. */
export function classify(error: unknown): FailureClass {
  if (!(error instanceof Error)) return "defect";
  if (error instanceof NotUniqueError) return "not-unique";
  const { errno, code, fatal, sqlState } = error as Partial<
    Record<"errno" | "code" | "fatal" | "sqlState", unknown>
  >;
  const known = typeof errno === "number" ? classOfNumber.get(errno) : undefined;
  if (known) return known;
  if (typeof code === "string" && outageCodes.has(code)) return "outage";
  if (outageNames.has(error.name)) return "outage";
  // The driver's own errors carry no stable code; `fatal` says that the connection is gone.
  if (fatal === true) return "outage";
  // Only a server gives a state.
  return typeof errno === "number" && typeof sqlState === "string" ? "unlisted" : "defect";
}

const blamingRows: readonly FailureClass[] = ["bad-data", "not-unique", "too-large", "unlisted"];

/** Whether a row may be to blame, alone or together with others of its statement. */
export function blamesRows(error: unknown): boolean {
  return blamingRows.includes(classify(error));
}

/** Whether an error is what MySQL said, or that it was not there to say anything: never a fault of who asked. */
export function isOfServer(error: unknown): boolean {
  const isSaid = error instanceof Error && "errno" in error && "sqlState" in error;
  return isSaid || ["outage", "contention"].includes(classify(error));
}

/** Whether an error says that a connection was lost that there was. */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { errno, code } = error as { errno?: unknown; code?: unknown };
  return lossCodes.has(String(code)) || lossNumbers.has(Number(errno));
}

/** The code of a MySQL error, `ER_…`, or nothing. */
export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** The word for why MySQL refuses a row: its code, or its number where the driver has no name for that. */
export function reasonOf(error: unknown): string {
  const { errno } = error instanceof Error ? (error as { errno?: unknown }) : {};
  // MariaDB's, for which the driver has the name of another error of MySQL's.
  if (errno === 4025) return "ER_CONSTRAINT_FAILED";
  return errorCode(error) ?? (typeof errno === "number" ? `MySQL error ${errno}` : classify(error));
}

/** Enough for a sentence. */
const mostWords = 300;

/** Why MySQL refuses a row, for operators: code, number and the server's own words, which may quote what the row holds. */
export function refusalOf(error: unknown): string {
  const { errno, sqlMessage } = error as { readonly errno?: unknown; readonly sqlMessage?: unknown };
  const number = typeof errno === "number" ? ` (${errno})` : "";
  const words = typeof sqlMessage === "string" ? `: ${sqlMessage.slice(0, mostWords)}` : "";
  return `${reasonOf(error)}${number}${words}`;
}

/** The same without the words, for the log. */
export function withoutWords(refusal: string): string {
  return refusal.replace(/^((?:ER_\w+|MySQL error \d+) \(\d+\)): .*$/s, "$1");
}
