import type { Benchmark, Findings, Settings } from "./support/benchmark.ts";
import { contest, each } from "./support/contest.ts";
import type { CpuUse } from "./support/cpu.ts";
import { type Drained, Flushers } from "./support/drainers.ts";
import { type MeasuredPair, measurePairs, type Pair, pairsTable, turns } from "./support/pairs.ts";
import type { Chat } from "./support/rows.ts";
import { Server, sluiceKind, type Turn } from "./support/servers.ts";
import { messageJson, messagesPath, Stage, type StageSize, usualSize } from "./support/stage.ts";
import { median, pairedRatio } from "./support/statistics.ts";
import { figure, spreadText, type Table } from "./support/table.ts";

const connections = 16;
/** Rows of each chat that is asked for. */
const messagesEach = 100;
const fewChats = 1000;
const fewRows = 1000;
const shallow = 10;

export const growth: Benchmark = {
  name: "growth",
  about: "whether anything takes longer as more is pending, as chats and rows are more, as lists are deeper",
  options: {
    rounds: { about: "turns of each side of a pair", value: "15" },
    seconds: { about: "length of a turn", value: "1" },
    pending: { about: "pending messages", value: "1000000" },
    chats: { about: "chats", value: "1000000" },
    depth: { about: "how deep a list is read", value: "1000000" },
    rows: { about: "rows in the table; more than the depth", value: "10000000" },
    messages: { about: "messages of a turn of flushing", value: "50000" },
  },
  async run(settings): Promise<Findings> {
    const [pending, chats] = [settings.number("pending"), settings.number("chats")];
    const [depth, rows] = [settings.number("depth"), settings.number("rows")];
    console.log("filling takes some minutes in all");
    const byPending = await measureByPending(pending, settings);
    const byChats = await measureByChats(chats, settings);
    const { byDepth, flushed } = await measureByRows(depth, rows, settings);
    return {
      conditions:
        `Both sides of a pair in one run by turns, ${settings.number("rounds")} turns of ${settings.number("seconds")} s ` +
        `each, through ${connections} connections, on the same engines and in corners of their own. Messages that are ` +
        "read lie in MySQL. Where chats are many, requests go to a thousand of them, spread over all, and Redis has the " +
        "counters of all. CPU is that of the API, Redis and MySQL together. Times is the median of the rounds' ratios, " +
        "in brackets the interval that has the true one in it in 19 of 20 runs.",
      tables: [
        pairsTable("pending messages", ["none", figure(pending)], byPending),
        pairsTable("chats", [figure(fewChats), figure(chats)], byChats),
        pairsTable("place in a chat", [figure(shallow), figure(depth)], byDepth),
        flushTable(rows, flushed),
      ],
      figures: { byPending, byChats, byDepth, flushed: Object.fromEntries(flushed) },
    };
  },
};

/** Opens servers on stages of their own, and closes them however that ends. */
async function withSizes<T>(
  sizes: readonly StageSize[],
  act: (servers: readonly Server[]) => Promise<T>,
): Promise<T> {
  const servers: Server[] = [];
  try {
    for (const size of sizes) servers.push(await Server.start(sluiceKind, await Stage.open({}, size)));
    return await act(servers);
  } finally {
    for (const server of servers) await server.close();
  }
}

interface Requests {
  readonly post: () => Promise<Turn>;
  readonly get: () => Promise<Turn>;
  readonly list: () => Promise<Turn>;
  readonly listChats: () => Promise<Turn>;
}

/** Requests to some chats, each of which has stored messages. */
function requestsTo(server: Server, chats: readonly Chat[], settings: Settings): Requests {
  const { stage } = server;
  const size = { connections, seconds: settings.number("seconds") };
  const get = (pathOf: (chat: Chat, at: number) => string) =>
    turns(server, { method: "GET", pathsFile: stage.writePaths(pathOf, chats) }, size);
  const pathsFile = stage.writePaths(messagesPath, chats);
  return {
    post: turns(server, { method: "POST", pathsFile, body: messageJson }, size),
    get: get((chat, at) => `${messagesPath(chat)}/${(at % messagesEach) + 1}`),
    list: get((chat) => `${messagesPath(chat)}?per_page=10`),
    listChats: get(({ token }) => `/api/v1/applications/${token}/chats?per_page=10`),
  };
}

async function measureByPending(pending: number, settings: Settings): Promise<MeasuredPair[]> {
  const size = { ...usualSize, storedIn: () => messagesEach };
  return withSizes([size, size], async ([empty, full]) => {
    if (!empty || !full) return [];
    await full.stage.fill(pending);
    const [few, many] = [empty, full].map((server) => requestsTo(server, server.stage.chats, settings));
    if (!few || !many) return [];
    const postToEmpty = async () => {
      const turn = await few.post();
      await empty.stage.discardRecords(empty.stage.chats);
      return turn;
    };
    return measurePairs(
      [
        { name: "POST a message", few: postToEmpty, many: many.post },
        { name: "GET a message", few: few.get, many: many.get },
        { name: "list messages", few: few.list, many: many.list },
      ],
      settings.number("rounds"),
    );
  });
}

async function measureByChats(count: number, settings: Settings): Promise<MeasuredPair[]> {
  const every = Math.max(1, Math.floor(count / fewChats));
  const isAsked = (at: number) => at % every === 0 && at < every * fewChats;
  const small = { applications: 10, chats: fewChats, storedIn: () => messagesEach };
  const large = {
    applications: 10,
    chats: count,
    storedIn: (at: number) => (isAsked(at) ? messagesEach : 0),
  };
  return withSizes([small, large], async ([first, second]) => {
    if (!first || !second) return [];
    const asked = second.stage.chats.filter((_, at) => isAsked(at));
    const few = requestsTo(first, first.stage.chats, settings);
    const many = requestsTo(second, asked, settings);
    const post = (requests: Requests, stage: Stage, chats: readonly Chat[]) => async () => {
      const turn = await requests.post();
      await stage.discardRecords(chats);
      return turn;
    };
    const posts: Pair = {
      name: "POST a message",
      few: post(few, first.stage, first.stage.chats),
      many: post(many, second.stage, asked),
    };
    return measurePairs(
      [
        posts,
        { name: "GET a message", few: few.get, many: many.get },
        { name: "list messages", few: few.list, many: many.list },
        { name: "list chats", few: few.listChats, many: many.listChats },
      ],
      settings.number("rounds"),
    );
  });
}

type Flushed = ReadonlyMap<string, Drained[]>;

/** A table of so many rows, the first chat being deeper than a list is read. */
async function measureByRows(
  depth: number,
  rows: number,
  settings: Settings,
): Promise<{ byDepth: MeasuredPair[]; flushed: Flushed }> {
  const deep = depth + 10 * messagesEach;
  const others = Math.max(0, Math.floor((rows - deep) / (usualSize.chats - 1)));
  const large = { ...usualSize, storedIn: (at: number) => (at === 0 ? deep : others) };
  const small = { ...usualSize, storedIn: () => fewRows / usualSize.chats };
  return withSizes([small, large], async ([few, many]) => {
    if (!few || !many) return { byDepth: [], flushed: new Map() };
    const byDepth = await measurePairs([listAtDepth(many, depth, settings)], settings.number("rounds"));
    return { byDepth, flushed: await measureFlushing(few.stage, many.stage, settings) };
  });
}

function listAtDepth(server: Server, depth: number, settings: Settings): Pair {
  const { stage } = server;
  const [chat] = stage.chats;
  if (!chat) throw new Error("no chat to list");
  const size = { connections, seconds: settings.number("seconds") };
  // A hundred pages by turns, so that not one alone is read again and again.
  const pages = Array.from({ length: messagesEach }, () => chat);
  const from = (place: number) => {
    const pathOf = (_: Chat, at: number) => `${messagesPath(chat)}?after=${place + 10 * at}&per_page=10`;
    return turns(server, { method: "GET", pathsFile: stage.writePaths(pathOf, pages) }, size);
  };
  return { name: "list messages by `after`", few: from(shallow), many: from(depth) };
}

async function measureFlushing(few: Stage, many: Stage, settings: Settings): Promise<Flushed> {
  const sides = [
    { name: "few", stage: few, flushers: await Flushers.start(few) },
    { name: "many", stage: many, flushers: await Flushers.start(many) },
  ];
  try {
    const count = settings.number("messages");
    for (const { flushers } of sides) await flushers.flush(Math.min(10_000, count));
    return await contest(sides, settings.number("rounds"), async ({ stage, flushers }) => {
      // The small table stays small.
      if (stage === few) await stage.restoreMessages();
      return flushers.flush(count);
    });
  } finally {
    for (const { flushers } of sides) await flushers.end();
  }
}

function flushTable(rows: number, flushed: Flushed): Table {
  const usOf = ({ rowsPerSecond }: Drained) => 1e6 / rowsPerSecond;
  const cpuOf = (part: keyof CpuUse) => (one: Drained) => one.cpuUs[part];
  const row = (name: string, of: (one: Drained) => number) => {
    const [few, many] = [each(flushed, "few", of), each(flushed, "many", of)];
    return [name, figure(median(few)), figure(median(many)), spreadText(pairedRatio(many, few))];
  };
  return {
    title: "flushing a row, µs",
    head: [`${figure(fewRows)} rows`, `${figure(rows)} rows`, "times"],
    rows: [
      row("time", usOf),
      row("CPU of the flusher", cpuOf("node")),
      row("CPU of Redis", cpuOf("redis")),
      row("CPU of MySQL", cpuOf("mysql")),
    ],
  };
}
