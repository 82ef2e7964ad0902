import {
  applicationNotFound,
  bufferUnavailable,
  chatNotFound,
  databaseUnavailable,
  upgradeUnderWay,
} from "../../errors.ts";
import { exampleToken } from "../openapi/examples.ts";
import { deleted } from "../resources/common.ts";
import type { Success } from "../route.ts";

/** What routes of several resources say of themselves. */

/** A name or title of the greatest length, every character escaped, and room around it. */
export const shortJsonBytes = () => 16 * 1024;

/** What a deletion answers. */
export const gone: Success = {
  status: 200,
  description: "It is gone, for every reader at once.",
  content: { schema: "Deleted", examples: { deleted } },
};

/** Where a chat is named that does not exist. */
export const chatMissing = [applicationNotFound(exampleToken), chatNotFound(1)];

/** Where chats or messages are accepted, read or changed. */
export const unavailable = [bufferUnavailable(), databaseUnavailable(), upgradeUnderWay()];
