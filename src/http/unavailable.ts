import { BufferUnavailableError } from "../buffer/connections.ts";
import {
  bufferFull,
  bufferUnavailable,
  databaseUnavailable,
  searchUnavailable,
  upgradeUnderWay,
} from "../errors.ts";
import { OtherVersionError } from "../records/payload.ts";
import { SearchUnavailableError } from "../search/search.ts";
import { isOfServer } from "../store/failure.ts";

/**
 * Awaits a call of buffer, store or search on behalf of a client.
 *
 * @throws {ApiError} 503 where Redis or MySQL is away or refuses, nobody can search, or only a newer version of this program
 * can read what was asked for; any other error as it is.
 */
export async function answerable<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof BufferUnavailableError)
      throw error.code === "OOM" ? bufferFull() : bufferUnavailable();
    if (error instanceof SearchUnavailableError) throw searchUnavailable();
    if (error instanceof OtherVersionError) throw upgradeUnderWay();
    throw isOfServer(error) ? databaseUnavailable(error) : error;
  }
}
