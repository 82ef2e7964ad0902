import fc from "fast-check";

import type { PageRequest } from "../../src/http/services.ts";

/**
 * What a history is made of. Numbers are small, that steps meet. `flushes` are steps of a flush between the look
 * at what is changed and its change.
 */
export type Step =
  | { do: "post chat"; title: string | null }
  | { do: "post message"; chat: number; body: string }
  | {
      do: "update message" | "delete message" | "read message";
      chat: number;
      message: number;
      body: string;
      flushes: number;
    }
  | { do: "update chat" | "delete chat" | "read chat"; chat: number; title: string | null; flushes: number }
  | { do: "list chats"; page: PageRequest }
  | { do: "list messages"; chat: number; page: PageRequest }
  | { do: "flush on"; maxRows: number }
  | { do: "remove some" }
  | { do: "refuse next" }
  | { do: "requeue all" }
  | { do: "let an hour pass" };

const small = fc.integer({ min: 1, max: 2 });
/** Mostly the first, that much happens to one chat. */
const chat = fc.constantFrom(1, 1, 1, 2);
const message = fc.integer({ min: 1, max: 5 });
const flushes = fc.constantFrom(0, 0, 1, 2, 3, 6);
const text = fc.string({ maxLength: 5, unit: "binary" }).map((random) => `t${random}`);
const title = fc.option(text, { nil: null });
const page: fc.Arbitrary<PageRequest> = fc.record({
  order: fc.constantFrom("asc" as const, "desc" as const),
  perPage: fc.integer({ min: 1, max: 4 }),
  start: fc.oneof(
    fc.record({ kind: fc.constant("page" as const), number: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant("after" as const), after: fc.integer({ min: 0, max: 8 }) }),
  ),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ do: fc.constant("post chat" as const), title }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("post message" as const), chat, body: text }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom("update message" as const, "delete message" as const, "read message" as const),
      chat,
      message,
      body: text,
      flushes,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "update chat" as const,
        "update chat",
        "delete chat" as const,
        "read chat" as const,
      ),
      chat,
      title,
      flushes,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("list chats" as const), page }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("list messages" as const), chat, page }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("flush on" as const), maxRows: small }) },
  { weight: 1, arbitrary: fc.constant({ do: "remove some" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "refuse next" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "requeue all" as const }) },
  { weight: 2, arbitrary: fc.constant({ do: "let an hour pass" as const }) },
);

/** A look at one of the lists, which changes nothing. */
const look: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ do: fc.constant("list chats" as const), page }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("list messages" as const), chat, page }) },
);

/** Steps, each followed by a look; long histories are as likely as short ones. */
export const steps = fc.array(fc.tuple(step, look), { minLength: 1, maxLength: 40, size: "max" });
