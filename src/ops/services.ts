import type { Buffer } from "../buffer/buffer.ts";
import type { Guard } from "./access/guard.ts";
import type { Actions } from "./actions.ts";
import type { LiveFeed } from "./live-feed.ts";
import type { Overview } from "./overview.ts";

/** What the routes of the dashboard work with. */
export interface OpsServices {
  readonly buffer: Buffer;
  readonly guard: Guard;
  readonly feed: LiveFeed;
  readonly actions: Actions;
  readonly namespace: string;
  readonly messageMaxBytes: number;
  readonly overview: () => Promise<Overview>;
}
