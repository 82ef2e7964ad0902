import { randomBytes } from "node:crypto";

import { clientKey } from "../../client-address.ts";
import type { OpsContext } from "../context.ts";
import { Refusal } from "../refusal.ts";
import { areRight, type Credentials, parseBasic } from "./credentials.ts";
import type { FailureLimit } from "./failure-limit.ts";
import type { Operator } from "./operator.ts";
import { isFromThisMachine, senderOf } from "./origin.ts";
import { formTokenOf, isFormToken, Sessions } from "./sessions.ts";

export interface GuardSettings {
  readonly credentials: Credentials | undefined;
  readonly isReadOnly: boolean;
  /** Whether a proxy stands in front: then nobody is known to be on this machine. */
  readonly isBehindProxy: boolean;
}

/** Decides who may look, and who may change something. */
export class Guard {
  readonly #settings: GuardSettings;
  readonly #failures: FailureLimit;
  readonly #sessions: Sessions | undefined;

  constructor(settings: GuardSettings, failures: FailureLimit) {
    this.#settings = settings;
    this.#failures = failures;
    this.#sessions = settings.credentials && new Sessions(settings.credentials);
  }

  get isReadOnly(): boolean {
    return this.#settings.isReadOnly;
  }

  /** Who asks; nothing where they have to sign in first. @throws {Refusal} where that would not help */
  async identify(ctx: OpsContext): Promise<Operator | undefined> {
    const { credentials } = this.#settings;
    if (!credentials || !this.#sessions) return this.#onThisMachine(ctx);
    const sessions = this.#sessions;
    const ticket = readTicket(ctx);
    if (ticket !== undefined && sessions.isValid(ticket, Date.now())) {
      const isStillIn = () => sessions.isValid(ticket, Date.now());
      return this.#operator(ctx, "session", formTokenOf(ticket), isStillIn);
    }
    const basic = parseBasic(ctx.headers.authorization);
    if (!basic || !(await this.#isRight(ctx, basic))) return undefined;
    return this.#operator(ctx, "basic", formTokenOf(sessions.sharedSecret), () => true);
  }

  /** Gives the browser a ticket. Whether name and password are right. @throws {Refusal} after many failures */
  async signIn(ctx: OpsContext, given: Credentials): Promise<boolean> {
    refuseFromElsewhere(ctx);
    if (!this.#sessions || !(await this.#isRight(ctx, given))) return false;
    writeTicket(ctx, this.#sessions.issue(Date.now()));
    return true;
  }

  /** Takes the ticket from the browser. */
  signOut(ctx: OpsContext): void {
    refuseFromElsewhere(ctx);
    writeTicket(ctx, undefined);
  }

  /** Lets a change through that an operator sent from a page of this server, or from a program. @throws {Refusal} */
  authorizeChange(ctx: OpsContext, operator: Operator, formToken: string): void {
    const sender = refuseFromElsewhere(ctx);
    if (this.#settings.isReadOnly) {
      throw new Refusal(403, "This dashboard only shows.", "OPS_READ_ONLY is set; the command line can act.");
    }
    // No browser sends credentials of its own accord without saying where from.
    if (sender === "program" && operator.via === "basic") return;
    if (!isFormToken(operator.formToken, formToken)) {
      throw new Refusal(
        403,
        "This form is too old, or not of this page.",
        "Load the page anew and try again.",
      );
    }
  }

  #onThisMachine(ctx: OpsContext): Operator {
    const isHere = isFromThisMachine(ctx.req.socket.remoteAddress, ctx.headers);
    if (!isHere || this.#settings.isBehindProxy) {
      throw new Refusal(
        403,
        "Without credentials the dashboard answers this machine only.",
        "Set OPS_USERNAME and OPS_PASSWORD and start Sluice again.",
      );
    }
    let ticket = readTicket(ctx);
    if (ticket === undefined) writeTicket(ctx, (ticket = randomBytes(16).toString("base64url")));
    return this.#operator(ctx, "loopback", formTokenOf(ticket), () => true);
  }

  #operator(
    ctx: OpsContext,
    via: Operator["via"],
    formToken: string,
    isStillIn: Operator["isStillIn"],
  ): Operator {
    const who = this.#settings.credentials?.username ?? "this machine";
    return { who, from: addressOf(ctx), via, formToken, isStillIn };
  }

  async #isRight(ctx: OpsContext, given: Credentials): Promise<boolean> {
    const { credentials } = this.#settings;
    if (!credentials) return false;
    const address = addressOf(ctx);
    await this.#failures.attempt(address);
    if (!areRight(credentials, given)) return false;
    await this.#failures.forgive(address);
    return true;
  }
}

/** The client's address, an IPv6 one by its network: one who fails has the whole of it to change in. */
export function addressOf(ctx: OpsContext): string {
  return clientKey(ctx.ip) ?? clientKey(ctx.req.socket.remoteAddress ?? "") ?? "unknown";
}

function refuseFromElsewhere(ctx: OpsContext): "own-page" | "program" {
  const sender = senderOf(ctx.headers, ctx.host);
  if (sender !== "elsewhere") return sender;
  throw new Refusal(403, "This came from another site.", "Nothing was done. Use the page itself.");
}

/** With the prefix a browser takes the cookie only over TLS, and from no subdomain. */
const ticketName = (ctx: OpsContext) => (ctx.secure ? "__Host-sluice-ops" : "sluice-ops");

function readTicket(ctx: OpsContext): string | undefined {
  return ctx.cookies.get(ticketName(ctx));
}

function writeTicket(ctx: OpsContext, ticket: string | undefined): void {
  ctx.cookies.set(ticketName(ctx), ticket ?? null, {
    httpOnly: true,
    sameSite: "strict",
    secure: ctx.secure,
    path: "/",
    signed: false,
  });
}
