/**
 * Mutations of the program: each takes away what keeps a promise. Seeds must find every one of them, or they would not
 * have found the fault either. Where the program changes so that one no longer fits, it is to be written anew.
 */
export interface Mutation {
  /** What the program then does. */
  readonly name: string;
  /** In src. */
  readonly file: string;
  /** Text of the file, once there and replaced by another. */
  readonly changes: readonly (readonly [from: string, to: string])[];
}

const readNewestFirst = {
  ofChats: `    const newest = await this.#newest("chats", { application_token: token });\n`,
  ofMessages: `    const newest = await this.#newest("messages", { application_token: token, chat_number: chatNumber });\n`,
};

export const mutations: readonly Mutation[] = [
  {
    name: "the high-water mark is read before the newest row",
    file: "store/numbers.ts",
    changes: [
      [readNewestFirst.ofChats, ""],
      [readNewestFirst.ofMessages, ""],
      [
        "    return application && { greatest",
        `${readNewestFirst.ofChats}    return application && { greatest`,
      ],
      [
        "    const application = await this.#application(token);\n    if (!chat",
        `${readNewestFirst.ofMessages}    const application = await this.#application(token);\n    if (!chat`,
      ],
    ],
  },
  {
    name: "a load that took very long still gives a parent its counter",
    file: "buffer/lua/seed.lua",
    changes: [["if state[1] ~= ARGV[2] or known[3] ~= ARGV[1] then", "if state[1] ~= ARGV[2] then"]],
  },
  {
    name: "a repeated ack is not told by its position",
    file: "buffer/lua/acknowledge.lua",
    changes: [["tonumber(at_head[1] or '0') ~= tonumber(ARGV[4]) or ", ""]],
  },
  {
    name: "a POST does not ask whether Redis was compared",
    file: "http/accept.ts",
    changes: [["if (!epochs.isVerified(partition))", "if (attempt < 0)"]],
  },
  {
    name: "a flush commits though another lease was claimed",
    file: "store/fence.ts",
    changes: [["if (row?.lease !== fence.lease)", "if (row === undefined)"]],
  },
  {
    name: "a loss is not counted",
    file: "store/epochs.ts",
    changes: [["Math.max(old.losses, knownLosses) + 1", "Math.max(old.losses, knownLosses)"]],
  },
  {
    name: "an ack removes what changed since it was read",
    file: "buffer/lua/acknowledge.lua",
    changes: [["if string.sub(payload, 1, #stamp) ~= stamp then", "if false then"]],
  },
  {
    name: "a refused change lies among the refused new records",
    file: "buffer/lua/acknowledge.lua",
    changes: [["local grave = mark == ':r' and revisions or dead", "local grave = dead"]],
  },
  {
    name: "a discarded chat is not marked deleted",
    file: "buffer/lua/bury.lua",
    changes: [["  if KEYS[10] then delete_parent", "  if false then delete_parent"]],
  },
  {
    name: "a deleted application is stored again when its POST is repeated",
    file: "store/applications.ts",
    changes: [["if (removal !== undefined) throw", "if (removal === null) throw"]],
  },
  {
    name: "an epoch begins late in a Redis that was emptied once more",
    file: "buffer/lua/begin-epoch.lua",
    changes: [[" or known[3] ~= ARGV[5]", ""]],
  },
  {
    name: "a chat that was pending before a loss counts as a new one",
    file: "buffer/lua/accept.lua",
    changes: [["  if tonumber(record.chat) < tonumber(application[2]) then return false end\n", ""]],
  },
  {
    name: "a pending change stands in for the row of a deleted chat",
    file: "http/parent-loader.ts",
    changes: [['return found.kind !== "revision";', "return true;"]],
  },
  {
    name: "a dead letter stays whose record has landed",
    file: "flusher/landed-letters.ts",
    changes: [["await store.writes.landed(rows)", "await store.writes.landed(rows.slice(rows.length))"]],
  },
  {
    name: "a POST shares the 404 of a load that began before it",
    file: "http/parent-loader.ts",
    changes: [["if (underWay && !(await findsNothing(underWay))) return;", "if (underWay) return underWay;"]],
  },
  {
    name: "dead letters beneath a deleted application stay",
    file: "flusher/remove-some.ts",
    changes: [
      ["  if (isApplication) await buffer.deadLetters.forgetBeneath(parent.token, chatMarkSeconds);\n", ""],
    ],
  },
  {
    name: "a document is settled though its message was owed again",
    file: "buffer/lua/settle.lua",
    changes: [["if current and tonumber(current) == tonumber(sequence) then", "if current then"]],
  },
];
