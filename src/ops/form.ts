import type { OpsContext } from "./context.ts";
import { Refusal } from "./refusal.ts";

/** Reads a form that a page sent, of at most `maxBytes`. @throws {Refusal} for what is none, or is too large */
export async function readForm(ctx: OpsContext, maxBytes: number): Promise<URLSearchParams> {
  if (!ctx.is("application/x-www-form-urlencoded")) {
    throw new Refusal(415, "This is no form.", "Send it as application/x-www-form-urlencoded.");
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of ctx.req as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes)
      throw new Refusal(413, "This form is too large.", "Choose fewer, or a shorter text.");
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
}
