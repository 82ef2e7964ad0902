/** Draws rounds of what is rare: losses in a row, older copies, guessed numbers, a week that passes. */
import { spread } from "./chance.ts";
import type { Draw } from "./draw.ts";
import type { Ask, ClientOperation, Round } from "./plan.ts";

/** Both processes post to a chat as Redis is emptied under them, and once more some time later. */
export function flushedRound(draw: Draw, nth: number): Round {
  const { random } = draw;
  const isOfChats = draw.happens(0.2);
  const operations = Array.from({ length: random.integer(4, 6) }, (_, at): ClientOperation => ({
    id: `${nth}.${at}`,
    api: at % 2 === 0 ? 0 : 1,
    atMs: at < 3 ? draw.momentMs(5) : Math.round(spread(random.next(), 250, 1500)),
    ask: isOfChats
      ? { do: "post chat", text: draw.text() }
      : { do: "post message", chat: 0, text: draw.text() },
  }));
  return { before: nth === 0 ? "nothing" : "a while", operations };
}

/**
 * Something is left pending or refused; then it is mended, changed or deleted, and flushed; then clients meet what an
 * older copy of Redis says of it.
 */
export function olderCopyRound(draw: Draw, nth: number): Round {
  const { random } = draw;
  const place = () => random.pick([0, 0, 0, 0, 0, 1]) ?? 0;
  const [chat, message, text] = [place(), place(), () => draw.text()];
  const refused = () => (draw.happens(0.5) ? `refused ${draw.text()}` : draw.text());
  const before = (): Ask[] => [
    { do: "post chat", text: refused() },
    { do: "post message", chat, text: refused() },
    { do: "update chat", chat, text: refused() },
    { do: "update message", chat, message, text: refused() },
    { do: "post message", chat: 0, text: text() },
  ];
  const between = (): Ask[] => [
    { do: "update chat", chat, text: text() },
    { do: "update message", chat, message, text: text() },
    { do: "post message", chat, text: text() },
    { do: "delete chat", chat },
    { do: "delete message", chat, message },
    { do: "discard", nth: 0 },
    { do: "requeue", nth: 0 },
  ];
  const after = (): Ask[] => [
    { do: "post chat", text: text() },
    { do: "post message", chat: 0, text: text() },
    { do: "post message", chat: 1, text: text() },
    { do: "post message", chat, text: text() },
    { do: "update message", chat, message, text: text() },
    { do: "discard", nth: 0 },
    { do: "get chat", chat },
  ];
  const asks = random
    .shuffled([before, between, after][Math.min(nth, 2)]?.() ?? [])
    .slice(0, random.integer(1, 4));
  const operations = asks.map((ask, at): ClientOperation => ({
    id: `${nth}.${at}`,
    api: draw.happens(0.5) ? 0 : 1,
    atMs: nth < 2 ? at * 6 + draw.momentMs(6) : Math.round(spread(random.next(), 2, 800)),
    ask,
  }));
  const isFlushed = nth === 1 || draw.happens(0.3);
  const befores = ["nothing", draw.happens(0.5) ? "nothing" : "flush", "flush"] as const;
  return {
    before: befores[nth] ?? "nothing",
    operations,
    ...(isFlushed && { minuteAtMs: 30 }),
  };
}

/** A change of what is stored waits in the copy; then the record, or its chat, is deleted or changed; then clients ask. */
export function olderChangeRound(draw: Draw, nth: number): Round {
  const { random } = draw;
  const [chat, newest] = [{ chat: 0 }, { chat: 0, message: 0 }];
  const change = (): Ask =>
    draw.happens(0.7)
      ? { do: "update chat", ...chat, text: draw.text() }
      : { do: "update message", ...newest, text: draw.text() };
  const deletion = (): Ask =>
    draw.happens(0.7) ? { do: "delete chat", ...chat } : { do: "delete message", ...newest };
  const asks: readonly (readonly Ask[])[] = [
    [change(), change()],
    [deletion(), change()],
    [
      { do: "post message", ...chat, text: draw.text() },
      { do: "post message", ...chat, text: draw.text() },
      change(),
      { do: "get chat", ...chat },
      { do: "get message", ...newest },
    ],
  ];
  const chosen = random.shuffled(asks[Math.min(nth, 2)] ?? []).slice(0, random.integer(1, 3));
  const operations = chosen.map((ask, at): ClientOperation => ({
    id: `${nth}.${at}`,
    api: draw.happens(0.5) ? 0 : 1,
    atMs: nth < 2 ? at * 6 : Math.round(spread(random.next(), 2, 800)),
    ask,
  }));
  return { before: nth === 1 ? "nothing" : "flush", operations, ...(nth === 1 && { minuteAtMs: 30 }) };
}

/** Somebody posts to a chat before it is there, and once more as soon as it is, flushed or not. */
export function guessedRound(draw: Draw, nth: number): Round {
  const { random } = draw;
  const posts = Array.from({ length: random.integer(1, 2) }, (_, at): ClientOperation => ({
    id: `${nth}.${at}`,
    api: 0,
    atMs: draw.momentMs(10),
    ask: { do: "post to guessed", text: draw.text() },
  }));
  const chat = `${nth}.${posts.length}`;
  const later = Array.from({ length: random.integer(1, 2) }, (_, at): ClientOperation => ({
    id: `${nth}.${posts.length + 1 + at}`,
    api: draw.happens(0.8) ? 0 : 1,
    atMs: Math.round(spread(random.next(), 30, 300)),
    after: chat,
    ask: draw.happens(0.2)
      ? { do: "post to guessed", text: draw.text() }
      : { do: "post message", chat: 0, text: draw.text() },
  }));
  return {
    before: nth === 0 ? "nothing" : "a flush and an hour",
    operations: [
      ...posts,
      {
        id: chat,
        api: draw.happens(0.3) ? 0 : 1,
        atMs: draw.momentMs(20),
        ask: { do: "post chat", text: draw.text() },
      },
      ...later,
    ],
    minuteAfter: chat,
  };
}

/** What MySQL refused lies beneath what is deleted, and a week later somebody comes back to it. */
export function weekRound(draw: Draw, nth: number): Round {
  const { random } = draw;
  const page = { order: "asc", perPage: 100 } as const;
  const before: Ask[] = [
    { do: "post message", chat: 0, text: `refused ${draw.text()}` },
    { do: "post message", chat: 0, text: draw.text() },
    { do: "update chat", chat: 0, text: `refused ${draw.text()}` },
    { do: "post chat", text: `refused ${draw.text()}` },
  ];
  const deletion: Ask[] = [
    draw.happens(0.6) ? { do: "delete application" } : { do: "delete chat", chat: 0 },
    { do: "delete message", chat: 0, message: 0 },
  ];
  const after: Ask[] = [
    { do: "post message", chat: 0, text: draw.text() },
    { do: "post message", chat: 1, text: draw.text() },
    { do: "get message", chat: 0, message: 0 },
    { do: "list messages", chat: 0, page },
    { do: "requeue", nth: 0 },
  ];
  const asks = random.shuffled([before, deletion, after][nth % 3] ?? []).slice(0, random.integer(1, 3));
  const operations = asks.map((ask, at): ClientOperation => ({
    id: `${nth}.${at}`,
    api: draw.happens(0.5) ? 0 : 1,
    atMs: at * 6 + draw.momentMs(12),
    ask,
  }));
  const befores = ["nothing", "flush", "a week"] as const;
  return { before: befores[nth % 3] ?? "nothing", operations, minuteAtMs: random.integer(20, 60) };
}
