import { z } from "zod";

import { pageMeta } from "../pagination.ts";
import { messageView } from "./message.ts";

/** What a client sees of a search: the best match first. */
export const searchView = z.object({
  messages: z.array(messageView),
  meta: pageMeta.extend({
    engine: z.enum(["elasticsearch", "mysql"]).describe("Who searched what is stored."),
    degraded: z
      .boolean()
      .describe(
        "Whether the engine that should have answered could not, or much was pending and not looked at.",
      ),
  }),
});
