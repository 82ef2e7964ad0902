import { isUtf8 } from "node:buffer";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { koaBody } from "koa-body";
import {
  ApiError,
  bodyTooLarge,
  invalidBody,
  unsupportedCharset,
  unsupportedEncoding,
  unsupportedMediaType,
} from "../../errors.ts";
import type { RouteContext } from "../context.ts";
import { ClientGoneError } from "./client-gone.ts";

const unreadable = () => invalidBody("it is not a well-formed JSON object");

/** Reads a request's JSON body of at most `maxBytes` into `ctx.request.body`; no body leaves it undefined. */
export function readJson(maxBytes: number) {
  const parse = koaBody({
    multipart: false,
    urlencoded: false,
    text: false,
    jsonTypes: ["application/json"],
    jsonLimit: maxBytes,
  });
  return async (ctx: RouteContext, next: () => Promise<unknown>): Promise<unknown> => {
    if (await hasBody(ctx.req)) {
      refuseByHeaders(ctx, maxBytes);
      await readChecked(ctx, parse, maxBytes);
    }
    return next();
  };
}

/**
 * Whether a request brings any byte. Chunks do not say before how many: some proxies and tunnels announce them
 * where there is no body. Nothing is taken off the stream.
 *
 * @throws {ClientGoneError} where the client hangs up before the first
 */
async function hasBody(request: IncomingMessage): Promise<boolean> {
  if (request.headers["transfer-encoding"] === undefined)
    return Number(request.headers["content-length"] ?? 0) > 0;
  await once(request, "readable").catch(() => {
    throw new ClientGoneError();
  });
  return request.readableLength > 0;
}

/** Refuses what need not be read. A compressed body is refused too: a small one may unpack to anything. */
function refuseByHeaders(ctx: RouteContext, maxBytes: number): void {
  const { headers } = ctx.req;
  if (headers["content-encoding"] !== undefined) refuseEncoded(ctx);
  if (headers["content-type"] !== "application/json") refuseByType(ctx);
  if (Number(headers["content-length"] ?? 0) > maxBytes) throw bodyTooLarge(maxBytes);
}

function refuseEncoded(ctx: RouteContext): void {
  const { headers } = ctx.req;
  const codings = (headers["content-encoding"] ?? "").toLowerCase().split(",");
  if (!codings.every((coding) => ["", "identity"].includes(coding.trim()))) {
    ctx.set("Accept-Encoding", "identity");
    throw unsupportedEncoding();
  }
  // The parser knows it in one spelling.
  delete headers["content-encoding"];
}

/** Names of UTF-8 and of a part of it. The bytes are looked at in any case. */
const charsets = ["", "utf-8", "utf8", "us-ascii", "ascii"];

function refuseByType(ctx: RouteContext): void {
  if (ctx.is("application/json") === false) throw unsupportedMediaType();
  if (!charsets.includes(ctx.request.charset.toLowerCase())) throw unsupportedCharset();
}

async function readChecked(
  ctx: RouteContext,
  parse: ReturnType<typeof koaBody>,
  maxBytes: number,
): Promise<void> {
  const bytes = watchBytes(ctx.req);
  try {
    await parse(ctx, () => Promise.resolve());
  } catch (error) {
    // The parser paused the rest of the upload. Unread it would block the connection, and a client that
    // writes before it reads would never see the answer.
    ctx.req.resume();
    throw refusalOf(error, maxBytes);
  } finally {
    bytes.stop();
  }
  if (!bytes.areUtf8()) throw invalidBody("it is not valid UTF-8");
}

/**
 * Looks at the raw bytes as they pass: the parser puts U+FFFD where they are not UTF-8, which would store
 * what nobody sent. Must be attached in the same tick as the parser, before either makes the stream flow.
 */
function watchBytes(request: IncomingMessage) {
  const chunks: Buffer[] = [];
  const keep = (chunk: Buffer) => chunks.push(chunk);
  request.on("data", keep);
  return {
    stop: () => request.off("data", keep),
    areUtf8: () => isUtf8(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)),
  };
}

/** The parser's errors by their `type`; a body's own text hangs on them, so none of them goes any further. */
function refusalOf(error: unknown, maxBytes: number): unknown {
  if (error instanceof SyntaxError) return unreadable();
  if (!(error instanceof Error) || error instanceof ApiError || !("type" in error)) return error;
  switch (error.type) {
    case "entity.too.large":
      return bodyTooLarge(maxBytes);
    case "request.aborted":
    case "stream.not.readable":
      return new ClientGoneError();
    case "request.size.invalid":
      return unreadable();
    default:
      return error;
  }
}
