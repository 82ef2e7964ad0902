/**
 * Every error the API can answer, in one place: its status, its stable code and its sentence. Anything else
 * that is thrown reaches the client as a bland 500 and the log as a defect.
 */

/** An error whose words are meant for the client. */
export class ApiError extends Error {
  readonly status: number;
  /** Stable and machine-readable; documented in the API description. */
  readonly code: string;
  /** Field → sentences, where the fault lies in the fields of a body; such an answer has no `error` member. */
  readonly fields: Readonly<Record<string, readonly string[]>> | undefined;
  /** Seconds after which a retry may succeed. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: number,
    code: string,
    message: string,
    extra: {
      fields?: Readonly<Record<string, readonly string[]>>;
      retryAfterSeconds?: number;
      /** What happened, for the log; no client is told. */
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: extra.cause });
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.fields = extra.fields;
    this.retryAfterSeconds = extra.retryAfterSeconds;
  }
}

export const applicationNotFound = (token: string) =>
  new ApiError(404, "application_not_found", `Can't find an Application with token ${token}`);

export const chatNotFound = (number: string | number) =>
  new ApiError(404, "chat_not_found", `Can't find a Chat with number ${number}`);

export const messageNotFound = (number: string | number) =>
  new ApiError(404, "message_not_found", `Can't find a Message with number ${number}`);

/** The sentence of the fast POST of a chat, where clients of the replaced systems look for it. */
export const applicationUnknown = (token: string) =>
  new ApiError(404, "application_not_found", `Application with token ${token} not found`);

/** The sentence of the fast POST of a message. */
export const chatUnknown = (token: string, number: string | number) =>
  new ApiError(404, "chat_not_found", `Chat ${number} not found for application ${token}`);

export const routeNotFound = () => new ApiError(404, "route_not_found", "There is nothing at this address");

export const invalidFields = (fields: Readonly<Record<string, readonly string[]>>) =>
  new ApiError(422, "invalid_fields", "Some fields are invalid", { fields });

export const bodyRequired = () =>
  new ApiError(400, "body_required", "Invalid request body: body is required");

export const idempotencyKeyReused = () =>
  new ApiError(422, "idempotency_key_reused", "This Idempotency-Key was used with another body");

export const invalidIdempotencyKey = () =>
  new ApiError(
    400,
    "invalid_idempotency_key",
    "Idempotency-Key must be given once, as 1 to 255 printable ASCII characters",
  );

export const invalidBody = (reason: string) =>
  new ApiError(400, "invalid_body", `Invalid request body: ${reason}`);

export const invalidParameter = (name: string, reason: string) =>
  new ApiError(400, "invalid_parameter", `${name} ${reason}`);

export const bodyTooLarge = (maxBytes: number) =>
  new ApiError(413, "body_too_large", `The body is larger than ${maxBytes} bytes`);

export const unsupportedMediaType = () =>
  new ApiError(415, "unsupported_media_type", "The body must be JSON, sent as application/json");

export const unsupportedCharset = () =>
  new ApiError(415, "unsupported_media_type", "The body must be in UTF-8");

export const unsupportedEncoding = () =>
  new ApiError(415, "unsupported_media_type", "The body must not be compressed or encoded otherwise");

export const malformedRequest = () =>
  new ApiError(400, "malformed_request", "The request is not well-formed HTTP");

export const requestTimedOut = () =>
  new ApiError(408, "request_timeout", "The request did not arrive whole in time");

export const chunkExtensionsTooLarge = () =>
  new ApiError(413, "chunk_extensions_too_large", "The extensions of the body's chunks are too large");

export const expectationFailed = () =>
  new ApiError(417, "expectation_failed", "Nothing but 100-continue can be expected");

export const headersTooLarge = () =>
  new ApiError(431, "headers_too_large", "The headers of the request are too large");

export const bufferFull = () =>
  new ApiError(503, "buffer_full", "Too much is waiting to be written; try again later", {
    retryAfterSeconds: 5,
  });

export const bufferUnavailable = () =>
  new ApiError(503, "buffer_unavailable", "The buffer cannot be reached; try again later", {
    retryAfterSeconds: 1,
  });

export const databaseUnavailable = (cause?: unknown) =>
  new ApiError(503, "database_unavailable", "The database does not serve this now; try again later", {
    retryAfterSeconds: 1,
    cause,
  });

export const searchUnavailable = () =>
  new ApiError(503, "search_unavailable", "The search cannot be answered in time; try again later", {
    retryAfterSeconds: 5,
  });

export const upgradeUnderWay = () =>
  new ApiError(
    503,
    "upgrade_under_way",
    "A newer version wrote this and is being rolled out; try again later",
    {
      retryAfterSeconds: 5,
    },
  );

export const internalError = () => new ApiError(500, "internal_error", "Something went wrong on our side");

export const methodNotAllowed = () =>
  new ApiError(405, "method_not_allowed", "This address does not answer that method");

export const tooManyRequests = (retryAfterSeconds: number) =>
  new ApiError(429, "rate_limited", "Too many requests from this address; try again later", {
    retryAfterSeconds,
  });
