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
  /** The statement is larger than the server takes. */
  | "too-large"
  /** Anything else: a fault in Sluice or in the schema. */
  | "defect";

const byNumber: readonly (readonly [FailureClass, readonly number[]])[] = [
  [
    "contention",
    [1205, 1213, 1397, 1399, 1401, 1402, 1440, 1613, 1614, 8002, 8005, 8022, 8028, 9004, 9007, 12605, 12606],
  ],
  ["duplicate", [1062, 1586]],
  ["too-large", [1153, 1301, 8004, 8025]],
  ["bad-data", [1048, 1264, 1265, 1292, 1300, 1366, 1406, 1411, 1690, 3140, 3819, 3854, 3988, 4025]],
  [
    "outage",
    [
      1021, 1037, 1038, 1040, 1041, 1042, 1043, 1044, 1045, 1053, 1077, 1079, 1080, 1129, 1130, 1135, 1152,
      1154, 1158, 1159, 1160, 1161, 1180, 1184, 1188, 1189, 1190, 1203, 1226, 1290, 1317, 1429, 1836, 1927,
      2002, 2003, 2006, 2013, 3024, 3032, 3168, 9001, 9002, 9003, 9005, 12701,
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

/** Names of errors without a code: the pool had no connection to give in time. */
const outageNames = new Set(["KnexTimeoutError", "TimeoutError"]);

/** Classes an error thrown by a write or read of the store. Pure. */
export function classify(error: unknown): FailureClass {
  if (!(error instanceof Error)) return "defect";
  const { errno, code, fatal } = error as { errno?: unknown; code?: unknown; fatal?: unknown };
  const known = typeof errno === "number" ? classOfNumber.get(errno) : undefined;
  if (known) return known;
  if (typeof code === "string" && outageCodes.has(code)) return "outage";
  if (outageNames.has(error.name)) return "outage";
  // The driver's own errors carry no stable code; `fatal` says that the connection is gone.
  return fatal === true ? "outage" : "defect";
}

/** The code of a MySQL error, `ER_…`, or nothing. */
export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === "string" ? code : undefined;
}
