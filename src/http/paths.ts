import type { ApiContext, RouteContext } from "./context.ts";

/**
 * Addresses: everything is served under a prefix and, the same, without it. The braces make it optional
 * to the router, so that a route is written, matched and counted once.
 */
const prefix = "/api/v1";
const optionalPrefix = `{${prefix}}`;

/** Collections, as the router has them: what follows a colon is read in `params.ts`. */
export const applicationsPath = "/applications";
export const chatsPath = `${applicationsPath}/:token/chats`;
export const messagesPath = `${chatsPath}/:number/messages`;

/** The router's pattern for a path, with and without the prefix. */
export const at = (path: string) => `${optionalPrefix}${path}`;

/** The prefix the client used, to be used in the links it is given. */
const baseOf = (path: string) =>
  path.slice(0, prefix.length + 1).toLowerCase() === `${prefix}/` ? prefix : "";

/** An address of the API as a client that asked for `path` would write it, for links and `Location`. */
export const addressOf = (path: string, address: string) => `${baseOf(path)}${address}`;

/** Recognizes some paths as a client may write them. They are plain: words, and no parameters. */
export function pathMatcher(paths: readonly string[]): (path: string) => boolean {
  const pattern = new RegExp(`^(?:${prefix})?(?:${paths.join("|")})/?$`, "i");
  return (path) => pattern.test(path);
}

/** The route a request took, without the prefix: unlike its path it holds no token and has few values. */
export function templateOf(ctx: ApiContext): string {
  const { _matchedRoute, matched } = ctx as RouteContext;
  const pattern = _matchedRoute ?? matched?.[0]?.path;
  if (typeof pattern !== "string") return "unmatched";
  return pattern.startsWith(optionalPrefix) ? pattern.slice(optionalPrefix.length) : pattern;
}
