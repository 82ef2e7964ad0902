import type { Operator } from "../access/operator.ts";
import { type OpsContext, operatorOf } from "../context.ts";
import { readForm } from "../form.ts";
import type { OpsServices } from "../services.ts";
import type { Viewer } from "../pages/layout.ts";
import { signInPage } from "../pages/sign-in.ts";

type Handler = (ctx: OpsContext) => Promise<void> | void;

/** A route for those who are in; others are asked to sign in, at the same address. */
export function guarded({ guard }: OpsServices, handle: Handler): Handler {
  return async (ctx) => {
    const operator = await guard.identify(ctx);
    if (operator) {
      ctx.state.operator = operator;
      await handle(ctx);
    } else askToSignIn(ctx, ctx.method === "GET" ? ctx.url : "/ops", false);
  };
}

/** The same for a form that changes something, of at most `maxBytes`. @throws {Refusal} */
export function guardedForm(
  services: OpsServices,
  maxBytes: number,
  handle: (ctx: OpsContext, form: URLSearchParams, operator: Operator) => Promise<void>,
): Handler {
  return guarded(services, async (ctx) => {
    const operator = operatorOf(ctx);
    const form = await readForm(ctx, maxBytes);
    services.guard.authorizeChange(ctx, operator, form.get("form") ?? "");
    await handle(ctx, form, operator);
  });
}

/**
 * Answers 401 with a form. To programs it is the Basic scheme that is offered; to a browser none that would
 * make it ask by itself.
 */
export function askToSignIn(ctx: OpsContext, to: string, wasWrong: boolean): void {
  ctx.status = 401;
  if (ctx.accepts("html", "json") === "json") {
    ctx.set("WWW-Authenticate", 'Basic realm="Sluice operators", charset="UTF-8"');
    ctx.body = { status: 401, error: "Name and password are required." };
    return;
  }
  ctx.set("WWW-Authenticate", 'Form realm="Sluice operators"');
  ctx.type = "text/html";
  ctx.body = signInPage(to, wasWrong);
}

/** What the pages are told about who sees them. */
export function viewerOf(ctx: OpsContext, { guard, namespace }: OpsServices): Viewer {
  return { operator: operatorOf(ctx), isReadOnly: guard.isReadOnly, namespace };
}

export function answerPage(ctx: OpsContext, page: string): void {
  ctx.type = "text/html";
  ctx.body = page;
}

/** Leads the browser to a page with GET, so that loading it anew does nothing twice. */
export function seeOther(ctx: OpsContext, address: string): void {
  ctx.status = 303;
  ctx.set("Location", address);
  ctx.body = "";
}

/** The parameters of an address. */
export const queryOf = (ctx: OpsContext) => new URLSearchParams(ctx.querystring);
