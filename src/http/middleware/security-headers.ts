import type { ApiMiddleware } from "../context.ts";

/**
 * Says the same to every browser that comes by: this is data, not a page; keep it nowhere, frame it
 * nowhere, and pass its address (which holds a token) on to nobody. A page sets its own policy over this.
 */
export function setSecurityHeaders(): ApiMiddleware {
  return (ctx, next) => {
    ctx.res.setHeader("X-Content-Type-Options", "nosniff");
    ctx.res.setHeader("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    ctx.res.setHeader("Referrer-Policy", "no-referrer");
    ctx.res.setHeader("Cache-Control", "no-store");
    return next();
  };
}
