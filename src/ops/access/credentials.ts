import { createHash, timingSafeEqual } from "node:crypto";

/** The name and the password that the environment gives. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Whether both are right, in a time that tells nothing of where they differ. */
export function areRight(expected: Credentials, given: Credentials): boolean {
  const isName = isSame(expected.username, given.username);
  const isPassword = isSame(expected.password, given.password);
  return isName && isPassword;
}

/** Digests have one length, which the comparison needs. */
function isSame(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** What an `Authorization` header of the Basic scheme says; nothing for any other. */
export function parseBasic(header: string | undefined): Credentials | undefined {
  const [, encoded] = /^basic +([\w+/=-]+)$/i.exec(header ?? "") ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
