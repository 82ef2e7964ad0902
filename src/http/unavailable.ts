import { BufferUnavailableError } from "../buffer/connections.ts";
import { bufferUnavailable, databaseUnavailable } from "../errors.ts";
import { available, StoreUnavailableError } from "../store/store.ts";

/**
 * Awaits a call of buffer or store on behalf of a client.
 *
 * @throws {ApiError} 503 where Redis or MySQL is away; any other error as it is.
 */
export async function answerable<T>(call: Promise<T>): Promise<T> {
  try {
    return await available(call);
  } catch (error) {
    if (error instanceof BufferUnavailableError) throw bufferUnavailable();
    if (error instanceof StoreUnavailableError) throw databaseUnavailable();
    throw error;
  }
}
