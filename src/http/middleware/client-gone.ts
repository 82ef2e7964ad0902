/** Thrown when a client hung up before its request was complete: nobody is left to be answered. */
export class ClientGoneError extends Error {
  constructor() {
    super("The client hung up in the middle of its request");
    this.name = "ClientGoneError";
  }
}

const connectionCodes = new Set([
  "ECONNABORTED",
  "ECONNRESET",
  "EPIPE",
  "ERR_HTTP_REQUEST_TIMEOUT",
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_PREMATURE_CLOSE",
  "ETIMEDOUT",
]);

/**
 * Whether an error only says that a client's connection broke, or that what came over it was no HTTP
 * (`HPE_…`, which is also how a body that ends too soon is reported). Node has answered it by then.
 */
export function isConnectionLoss(error: Error): boolean {
  if (!("code" in error) || typeof error.code !== "string") return false;
  return connectionCodes.has(error.code) || error.code.startsWith("HPE_");
}
