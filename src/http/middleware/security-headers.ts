import type { ApiMiddleware } from "../context.ts";

/**
 * Says the same to every browser that comes by: this is data, not a page; keep it nowhere, frame it
 * nowhere, and pass its address (which holds a token) on to nobody. A page sets its own policy over this.
 */
export const securityHeaders: Readonly<Record<string, string>> = {
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "no-store",
};

const pairs = Object.entries(securityHeaders);

/** Puts them on every answer. */
export function setSecurityHeaders(): ApiMiddleware {
  return (ctx, next) => {
    for (const [name, value] of pairs) ctx.res.setHeader(name, value);
    return next();
  };
}
