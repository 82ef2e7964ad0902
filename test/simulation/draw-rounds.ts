/** Draws rounds: what clients ask in them, and when. */
import { spread } from "./chance.ts";
import type { Draw } from "./draw.ts";
import type { Ask, ClientOperation, Round } from "./plan.ts";

/** Draws the nth round of a plan. */
export type DrawRound = (draw: Draw, nth: number) => Round;

/** Anything at all. */
export function anyRound(draw: Draw, nth: number): Round {
  const { random } = draw;
  const before = draw.happens(0.35)
    ? "nothing"
    : (random.pick([
        "nothing",
        "flush",
        "an hour",
        "a flush and an hour",
        "a flush and an hour",
        "a week",
        "counts",
      ] as const) ?? "nothing");
  const withinMs = random.pick([3, 20, 200]) ?? 20;
  const count = random.integer(1, 6);
  const operations = Array.from({ length: count }, (_, at): ClientOperation => ({
    id: `${nth}.${at}`,
    api: draw.happens(0.5) ? 0 : 1,
    atMs: draw.momentMs(withinMs),
    ask: draw.ask(),
  }));
  return { before, operations, ...(draw.happens(0.5) && { minuteAtMs: random.integer(0, withinMs) }) };
}

/** Several messages are changed in some order, perhaps twice, and perhaps another one is posted between. */
export function hurriedRound(draw: Draw, nth: number): Round {
  return changesRound(draw, nth, 15 + Math.round(spread(draw.random.next(), 5, 300)));
}

/** As a hurried one, and the second changes come when the first may be flushed, and their ack on its way again. */
export function repeatedAckRound(draw: Draw, nth: number): Round {
  return changesRound(draw, nth, draw.random.integer(130, 350));
}

/** Messages are changed, and once more so many milliseconds later. */
function changesRound(draw: Draw, nth: number, againMs: number): Round {
  const { random } = draw;
  const [other = 0, ...places] = random.shuffled([0, 1, 2, 3, 4]).slice(0, random.integer(4, 5));
  const asks = places.map((message): Ask =>
    draw.happens(0.1)
      ? { do: "post message", chat: 0, text: draw.text() }
      : { do: "update message", chat: 0, message, text: draw.text() },
  );
  const operations = asks.map((ask, at) => ({ id: `${nth}.${at}`, api: 0 as const, atMs: at * 4, ask }));
  const again = draw.happens(0.7) ? changedAgain(draw, nth, operations, { other, startMs: againMs }) : [];
  return {
    before: nth === 0 ? "a flush and an hour" : "nothing",
    operations: [...operations, ...again],
    ...(draw.happens(0.7) && { minuteAtMs: 20 }),
  };
}

/** The same once more while its flush may be under way, with another message in place of one of them. */
function changedAgain(
  draw: Draw,
  nth: number,
  operations: readonly ClientOperation[],
  { other, startMs }: { other: number; startMs: number },
): ClientOperation[] {
  const changed = draw.random.integer(0, operations.length - 1);
  return operations.map(({ api, atMs, ask }, at) => {
    const { message } = { message: 0, ...ask };
    return {
      id: `${nth}.${operations.length + at}`,
      api,
      atMs: atMs + startMs,
      ask: {
        do: "update message",
        chat: 0,
        message: at === changed ? other : message,
        text: draw.text(),
      },
    };
  });
}

/** One posts to an idle parent, and others do so while it loads; all that is flushed meanwhile. */
export function idleRound(draw: Draw, nth: number): Round {
  const { random } = draw;
  const withinMs = random.pick([3, 30, 300]) ?? 30;
  const ofChats = draw.happens(0.3);
  const operations = Array.from({ length: random.integer(2, 4) }, (_, at): ClientOperation => ({
    id: `${nth}.${at}`,
    api: at === 0 ? 0 : 1,
    atMs: at === 0 ? 0 : draw.momentMs(withinMs),
    ask: ofChats
      ? { do: "post chat", ...draw.post() }
      : draw.happens(0.15)
        ? { do: "delete message", chat: 0, message: 0 }
        : { do: "post message", chat: 0, ...draw.post() },
  }));
  const minuteAtMs = Math.round(random.next() * withinMs) + 5;
  return { before: "a flush and an hour", operations, minuteAtMs };
}

/** The newest beneath an idle parent is deleted and flushed, while others post beneath it, or change or read it. */
export function deletionRound(draw: Draw, nth: number): Round {
  const { random } = draw;
  const ofChats = draw.happens(0.3);
  const deletion: Ask = ofChats
    ? { do: "delete chat", chat: 0 }
    : { do: "delete message", chat: 0, message: 0 };
  // A flusher that finds little gathers for a tenth of a second before it writes.
  const [fromMs, withinMs] = draw.happens(0.7) ? [80, 150] : [0, 300];
  const post = (): Ask =>
    ofChats ? { do: "post chat", ...draw.post() } : { do: "post message", chat: 0, ...draw.post() };
  const change = (): Ask =>
    ofChats
      ? { do: "update chat", chat: 0, text: draw.text() }
      : { do: "update message", chat: 0, message: 0, text: draw.text() };
  const read: Ask = ofChats ? { do: "get chat", chat: 0 } : { do: "get message", chat: 0, message: 0 };
  const others = Array.from({ length: random.integer(1, 4) }, (_, at): ClientOperation => {
    const ask = draw.happens(0.6) ? post() : draw.happens(0.5) ? change() : read;
    const isChange = ask.do.startsWith("update");
    return {
      id: `${nth}.${at + 1}`,
      api: at % 2 === 0 ? 1 : 0,
      // Who changes it must have begun before it is gone.
      ...(!isChange && { after: `${nth}.0` }),
      atMs: isChange ? draw.momentMs(10) : fromMs + draw.momentMs(withinMs),
      ask,
    };
  });
  return {
    before: "a flush and an hour",
    operations: [{ id: `${nth}.0`, api: 0, atMs: 0, ask: deletion }, ...others],
    minuteAfter: `${nth}.0`,
  };
}

/** As an idle round; later ones may see that hour in which whoever stands still has slept, and little else. */
export function longLoadRound(draw: Draw, nth: number): Round {
  const round = idleRound(draw, nth);
  return nth === 0 || draw.happens(0.2) ? round : { before: round.before, operations: [] };
}

/** Messages are posted, changed and deleted, with time in between for another flusher to take over. */
export function takenOverRound(draw: Draw, nth: number): Round {
  const { random } = draw;
  const operations = Array.from({ length: random.integer(1, 4) }, (_, at): ClientOperation => {
    const message = random.integer(0, 3);
    const asks: Ask[] = [
      { do: "post message", chat: 0, text: draw.text() },
      { do: "update message", chat: 0, message, text: draw.text() },
      { do: "delete message", chat: 0, message },
    ];
    return {
      id: `${nth}.${at}`,
      api: 0,
      atMs: at * 4,
      ask: random.pick(nth === 0 ? asks.slice(0, 2) : asks) ?? draw.ask(),
    };
  });
  return { before: nth === 0 ? "nothing" : "a while", operations, minuteAtMs: random.integer(0, 30) };
}

/** MySQL refuses chats and messages, new and changed; then an operator and clients meet what became of them. */
export function refusedRound(draw: Draw, nth: number): Round {
  const { random } = draw;
  const refused = `refused ${draw.text()}`;
  const before: Ask[] = [
    { do: "post chat", text: refused },
    { do: "post chat", text: refused },
    { do: "update chat", chat: 0, text: refused },
    { do: "post message", chat: 0, text: refused },
    { do: "update message", chat: 0, message: 0, text: refused },
    { do: "post message", chat: 0, text: draw.text() },
  ];
  const after: Ask[] = [
    { do: "discard", nth: 0 },
    { do: "discard", nth: 0 },
    { do: "requeue", nth: 0 },
    { do: "delete chat", chat: 0 },
    { do: "update chat", chat: 0, text: draw.text() },
    { do: "post message", chat: 0, text: draw.text() },
    { do: "post message", chat: 0, text: draw.text() },
    { do: "get chat", chat: 0 },
    { do: "list messages", chat: 0, page: { order: "asc", perPage: 100 } },
  ];
  const asks = random.shuffled(nth % 2 === 0 ? before : after).slice(0, random.integer(2, 4));
  const operations = asks.map((ask, at): ClientOperation => ({
    id: `${nth}.${at}`,
    api: draw.happens(0.5) ? 0 : 1,
    atMs: at * 6 + draw.momentMs(12),
    ask,
  }));
  return { before: nth === 0 ? "nothing" : "flush", operations, minuteAtMs: random.integer(0, 60) };
}
