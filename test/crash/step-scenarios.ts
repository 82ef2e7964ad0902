import { createAcceptor } from "../../src/http/accept.ts";
import { createChanger } from "../../src/http/change.ts";
import { createReader } from "../../src/http/read-after-write.ts";
import type { Acceptor, Changer } from "../../src/http/services.ts";
import { flushSteps } from "../history/flush-steps.ts";
import { takeLease } from "../support/buffers.ts";
import { Flushing } from "../support/flushing.ts";
import type { MortalProcess } from "./mortal-process.ts";
import { said } from "../support/said.ts";

const leaseMs = 600_000;

/** An application and who works on it. */
export interface Scene {
  readonly token: string;
  readonly process: MortalProcess;
  readonly accept: Acceptor;
  readonly change: Changer;
}

/** The same application as another process sees it. */
export function sceneIn(process: MortalProcess, token: string): Scene {
  const { buffer, store, epochs } = process;
  const change = createChanger(buffer, store, createReader(buffer, store));
  return { token, process, accept: createAcceptor(buffer, store, epochs), change };
}

/** What is there before, what is done by a process that may die of it, and what goes on after. */
export interface Scenario {
  readonly title: string;
  /** Answers what somebody else has yet to finish. */
  prepare(scene: Scene): Promise<(() => Promise<void>) | undefined>;
  act(scene: Scene): Promise<unknown>;
}

/** Drains everything as a flusher does, once. */
export async function drain({ process }: Scene): Promise<void> {
  const { buffer, store, epochs, signal } = process;
  const lease = await takeLease(buffer, 0, leaseMs);
  const settings = { thresholds: { chats: 1, messages: 1 }, maxRows: 3 };
  const flushing = await Flushing.begin(buffer, store, { lease, epochs });
  await flushing.drain(settings, { signal }).run("minute");
  await buffer.leases.release(lease);
}

/** A flush that has written and not yet acknowledged; answers how to acknowledge. */
async function halfFlush({ process }: Scene): Promise<() => Promise<void>> {
  const { buffer, store, epochs } = process;
  const lease = await takeLease(buffer, 0, leaseMs);
  const flushing = await Flushing.begin(buffer, store, { lease, epochs });
  const steps = flushSteps(buffer, flushing, 1000, () => false);
  let last = "";
  while (last !== "messages written") last = (await steps.next()).value ?? "";
  return async () => {
    await steps.next();
    await buffer.leases.release(lease);
  };
}

/** A flush that has written chats and not yet acknowledged them. */
async function halfFlushOfChats({ process }: Scene): Promise<() => Promise<void>> {
  const { buffer, store, epochs } = process;
  const lease = await takeLease(buffer, 0, leaseMs);
  const flushing = await Flushing.begin(buffer, store, { lease, epochs });
  const steps = flushSteps(buffer, flushing, 1000, () => false);
  let last = "";
  while (last !== "chats written") last = (await steps.next()).value ?? "";
  return async () => {
    while (!(await steps.next()).done);
    await buffer.leases.release(lease);
  };
}

/** Chat 1 with messages 1 to 3, chat 2 with message 1. */
async function post({ accept, token }: Scene): Promise<void> {
  await accept.chat(token, said("first chat"));
  await accept.chat(token, said(null));
  for (const body of ["one", "two", "three"]) await accept.message(token, 1, said(body));
  await accept.message(token, 2, said("elsewhere"));
}

/** The ways in which a record can lie there when it is changed. */
const states = {
  pending: () => Promise.resolve(undefined),
  "being flushed": halfFlush,
  "of a chat being flushed": halfFlushOfChats,
  stored: async (scene: Scene) => {
    await drain(scene);
    return undefined;
  },
  "changed before": async (scene: Scene) => {
    await drain(scene);
    await scene.change.updateChat(scene.token, 1, said("changed"));
    await scene.change.updateMessage(scene.token, 1, 2, said("changed"));
    return undefined;
  },
  "changed before and being flushed": async (scene: Scene) => {
    await states["changed before"](scene);
    return halfFlush(scene);
  },
} satisfies Record<string, (scene: Scene) => Promise<(() => Promise<void>) | undefined>>;

/** Something a client does. */
export type Act = (scene: Scene) => Promise<unknown>;

const changes: Readonly<Record<string, Act>> = {
  "posting a chat": ({ accept, token }) => accept.chat(token, said("third")),
  "posting a message": ({ accept, token }) => accept.message(token, 1, said("four")),
  "updating a message": ({ change, token }) => change.updateMessage(token, 1, 2, said("another")),
  "deleting a message": ({ change, token }) => change.deleteMessage(token, 1, 2),
  "deleting the last message": ({ change, token }) => change.deleteMessage(token, 1, 3),
  "updating a chat": ({ change, token }) => change.updateChat(token, 1, said("another")),
  "deleting a chat": ({ change, token }) => change.deleteChat(token, 1),
  "deleting the last chat": ({ change, token }) => change.deleteChat(token, 2),
  "deleting an application": ({ change, token }) => change.deleteApplication(token),
};

const ofChanges = Object.entries(changes).flatMap(([what, act]) =>
  Object.entries(states).map(([state, reach]): Scenario => ({
    title: `${what}, ${state}`,
    async prepare(scene) {
      await post(scene);
      return reach(scene);
    },
    act,
  })),
);

/** Leaves one of each kind of work to a flusher: new, changed and deleted records, stored and not. */
export async function leaveEverything(scene: Scene): Promise<undefined> {
  const { accept, change, token } = scene;
  await post(scene);
  await drain(scene);
  for (const body of ["four", "five", "six"]) await accept.message(token, 1, said(body));
  await accept.chat(token, said("third chat"));
  await accept.message(token, 3, said("in the third"));
  await change.updateMessage(token, 1, 4, said("four, changed"));
  await change.deleteMessage(token, 1, 5);
  await change.updateMessage(token, 1, 1, said("one, changed"));
  await change.deleteMessage(token, 1, 2);
  await change.updateChat(token, 1, said("first chat, changed"));
  await change.deleteChat(token, 2);
  await accept.chat(token, said("fourth chat"));
  await change.deleteChat(token, 4);
}

export const scenarios: readonly Scenario[] = [
  ...ofChanges,
  { title: "flushing new, changed and deleted records", prepare: leaveEverything, act: drain },
  {
    title: "flushing what belongs to a deleted application",
    async prepare(scene) {
      await leaveEverything(scene);
      await scene.change.deleteApplication(scene.token);
      return undefined;
    },
    act: drain,
  },
  {
    title: "removing what lies beneath a deleted chat and a deleted application",
    async prepare(scene) {
      await post(scene);
      await drain(scene);
      await scene.change.deleteChat(scene.token, 1);
      await drain(scene);
      await scene.change.deleteApplication(scene.token);
      return undefined;
    },
    async act({ process: { buffer, store, epochs } }) {
      const flushing = await Flushing.begin(buffer, store, { epochs });
      while (await flushing.removeSome());
      await buffer.leases.release(flushing.lease);
    },
  },
];
