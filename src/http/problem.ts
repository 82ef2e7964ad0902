import { STATUS_CODES } from "node:http";
import { z } from "zod";
import type { ApiError } from "../errors.ts";

/**
 * An error as RFC 9457 has it, with the members that clients of the replaced systems read: `errors` where
 * the fault lies in fields, `error` otherwise.
 */
export const problemView = z.object({
  type: z.string().meta({ description: "The kind of problem.", format: "uri-reference" }),
  title: z.string().describe("The status in words."),
  status: z.int().min(400).max(599),
  detail: z.string().describe("What is wrong, in one sentence."),
  code: z.string().describe("What is wrong, in a word that programs may go by: it does not change."),
  request_id: z.string().describe("The same as `X-Request-Id`; the log has it too."),
  error: z.string().optional().describe("The same as `detail`, unless there are `errors`."),
  errors: z
    .record(z.string(), z.array(z.string()).min(1).readonly())
    .readonly()
    .optional()
    .describe("Field by field, what is wrong with the body."),
});

export type Problem = Readonly<z.infer<typeof problemView>>;

const registry = "https://iana.org/assignments/http-problem-types";

/** Registered types; any other error is told by its status and `code`, which is what `about:blank` means. */
const types = new Map([
  ["rate_limited", `${registry}#quota-exceeded`],
  ["buffer_full", `${registry}#temporary-reduced-capacity`],
]);

/** Shows an error to the client that caused or met it. */
export function problemOf(error: ApiError, requestId: string): Problem {
  return {
    type: types.get(error.code) ?? "about:blank",
    title: STATUS_CODES[error.status] ?? "Error",
    status: error.status,
    detail: error.message,
    code: error.code,
    request_id: requestId,
    ...(error.fields ? { errors: error.fields } : { error: error.message }),
  };
}
