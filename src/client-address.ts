import ipaddr from "ipaddr.js";

const groupsOfNetwork = 4;

/** An address as some proxies write it: with the port, an IPv6 one in brackets. */
const written = /^(?:\[([^\]]+)\](?::\d+)?|([\d.]+):\d+)$/;

/**
 * What is limited as one client: an IPv4 address, also where it comes mapped into IPv6, or the /64 network
 * of an IPv6 address, since a single household or machine has the whole of one to change addresses in.
 * Undefined for what is no address.
 */
export function clientKey(text: string): string | undefined {
  const [, bracketed, beforePort] = written.exec(text) ?? [];
  const [address = ""] = (bracketed ?? beforePort ?? text).split("%", 1);
  // The library also reads forms like `127.1`, which no socket and no proxy writes.
  if (!ipaddr.IPv4.isValidFourPartDecimal(address) && !ipaddr.IPv6.isValid(address)) return undefined;
  const parsed = ipaddr.process(address);
  if (!("parts" in parsed)) return parsed.toString();
  const network = parsed.parts.slice(0, groupsOfNetwork).map((group) => group.toString(16));
  return `${network.join(":")}::/64`;
}
