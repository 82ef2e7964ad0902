import { createHmac, randomBytes, scryptSync, timingSafeEqual } from "node:crypto";

import type { Credentials } from "./credentials.ts";

const lifeMs = 12 * 3_600_000;

/**
 * Gives and checks the tickets of those who signed in. A ticket is signed and kept by the browser alone, so that
 * it holds in every API process, also while Redis is away. The key is made of the credentials: a ticket ends
 * with its time, or when they are changed.
 */
export class Sessions {
  readonly #key: Buffer;

  constructor({ username, password }: Credentials) {
    // Slow on purpose, once a start: a stolen ticket is no way to try passwords fast.
    this.#key = scryptSync(`${username}\n${password}`, "sluice operators", 32);
  }

  /** A ticket from now on. */
  issue(nowMs: number): string {
    const claim = `${(nowMs + lifeMs).toString(36)}.${randomBytes(16).toString("base64url")}`;
    return `${claim}.${this.#sign(claim).toString("base64url")}`;
  }

  isValid(ticket: string, nowMs: number): boolean {
    const end = ticket.lastIndexOf(".");
    const claim = ticket.slice(0, Math.max(end, 0));
    const signature = Buffer.from(ticket.slice(end + 1), "base64url");
    const expected = this.#sign(claim);
    if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) return false;
    return parseInt(claim, 36) > nowMs;
  }

  /** What the forms of somebody carry who sends the credentials with each request. */
  get sharedSecret(): string {
    return this.#sign("forms").toString("base64url");
  }

  #sign(text: string): Buffer {
    return createHmac("sha256", this.#key).update(text).digest();
  }
}

/** What the forms of a page carry, made of what only this browser and this server know. */
export function formTokenOf(secret: string): string {
  return createHmac("sha256", secret).update("sluice form").digest("base64url");
}

/** Whether a form came from a page of this server, in constant time. */
export function isFormToken(expected: string, given: string): boolean {
  const [one, other] = [Buffer.from(expected), Buffer.from(given)];
  return one.length === other.length && timingSafeEqual(one, other);
}
