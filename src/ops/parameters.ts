/** Greatest number that a parameter of the dashboard may be: above it there is nothing to see. */
const greatest = 1_000_000_000;

/** A whole number from an address or a form, brought within its bounds; what is none is the default. */
export function wholeNumber(
  from: URLSearchParams,
  name: string,
  fallback: number,
  least: number,
  most = greatest,
): number {
  const text = from.get(name) ?? "";
  if (!/^\d{1,15}$/.test(text)) return fallback;
  return Math.min(Math.max(Number(text), least), Math.max(least, most));
}

/** A text from an address, cut to what is worth looking for. */
export function shortTextOf(from: URLSearchParams, name: string): string {
  return (from.get(name) ?? "").trim().slice(0, 200);
}
