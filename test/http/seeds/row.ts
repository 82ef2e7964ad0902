import type { Json } from "../shell.ts";

/** Where a row happens: a fresh application "Shop" with one chat and one message "hi" in it. */
export interface Place {
  readonly token: string;
}

/** An example of a README: a request, and the status and members that it shows. */
export interface Row {
  readonly verb: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: (place: Place) => string;
  readonly body?: Json;
  readonly status: number;
  /** Members and their values; `anything` where the README's value is only an example. */
  readonly shows?: (place: Place) => Json;
}

/** In place of a value that no README can know. */
export const anything: unique symbol = Symbol("anything");
/** No application has this token. */
export const noSuch = "abc123";
/** An address under `/api/v1/applications`. */
export const inV1 =
  (path: string) =>
  ({ token }: Place) =>
    `/api/v1/applications${path.replace(":token", token)}`;
/** An address under `/applications`. */
export const bare =
  (path: string) =>
  ({ token }: Place) =>
    `/applications${path.replace(":token", token)}`;

/** Examples by what they do. */
export type Rows = Readonly<Record<string, Row>>;
