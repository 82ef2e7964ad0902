import type { IncomingHttpHeaders } from "node:http";

import ipaddr from "ipaddr.js";

/**
 * Where a request that changes something was sent from: a page of this server, another site, or a program that
 * is no browser, as every browser of the last years says where from.
 */
export function senderOf(headers: IncomingHttpHeaders, host: string): "own-page" | "elsewhere" | "program" {
  const site = headers["sec-fetch-site"];
  const { origin } = headers;
  if (site !== undefined) return site === "same-origin" ? "own-page" : "elsewhere";
  if (origin === undefined) return "program";
  return URL.canParse(origin) && new URL(origin).host === host ? "own-page" : "elsewhere";
}

/** What a proxy adds: with any of them, the connection's address is not that of who asks. */
const proxyHeaders = ["x-forwarded-for", "x-forwarded-host", "x-real-ip", "forwarded", "via"];

/**
 * Whether a person on this very machine asks this very machine: by the address of the connection, with no sign
 * of a proxy, and by a name of this machine. The last keeps out a web page whose own name was made to lead here.
 */
export function isFromThisMachine(remoteAddress: string | undefined, headers: IncomingHttpHeaders): boolean {
  if (proxyHeaders.some((name) => headers[name] !== undefined)) return false;
  return isLoopback(remoteAddress ?? "") && isLoopbackName(headers.host ?? "");
}

function isLoopback(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === "loopback";
}

function isLoopbackName(host: string): boolean {
  const name = host.replace(/:\d+$/, "").toLowerCase();
  if (name === "localhost") return true;
  const literal = name.startsWith("[") && name.endsWith("]") ? name.slice(1, -1) : name;
  const isAddress = ipaddr.IPv4.isValidFourPartDecimal(literal) || ipaddr.IPv6.isValid(literal);
  return isAddress && isLoopback(literal);
}
