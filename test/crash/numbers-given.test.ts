import { expect } from "chai";

import { Keys } from "../../src/buffer/keys.ts";
import type { Parent } from "../../src/buffer/references.ts";
import { openStore } from "../../src/store/store.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";
import { Gate } from "./gate.ts";
import { MortalProcess } from "./mortal-process.ts";
import { drain, type Scene, sceneIn } from "./step-scenarios.ts";
import { said } from "../support/said.ts";

/** As many as any of these POSTs takes steps, and more. */
const mostSteps = 60;

/** What another process does while a POST waits between two of its steps. */
interface Interloper {
  readonly title: string;
  /** Answers the numbers that it was given meanwhile. */
  readonly act: (other: Scene) => Promise<number[]>;
}

describe("A POST that another process comes between, at whichever step,", function () {
  this.timeout(600_000);

  let workspace: Workspace;
  let keys: Keys;
  let other: MortalProcess;
  let scene: Scene;

  before(async () => {
    workspace = await openWorkspace();
    keys = new Keys(workspace.config.redis.namespace, workspace.config.redis.partitions);
  });

  beforeEach(async () => {
    other = await MortalProcess.start(workspace.config);
    const { application } = await sceneIn(other, "").change.createApplication("numbers");
    scene = sceneIn(other, application.token);
    await scene.accept.chat(scene.token, said(null));
  });

  afterEach(async () => {
    await drain(scene);
    await other.end();
  });

  after(async () => {
    await workspace.close();
  });

  /** As an hour's rest does: counters that may leave Redis are gone. */
  async function rest(): Promise<void> {
    const parents: Parent[] = [{ token: scene.token }, { token: scene.token, chatNumber: 1 }];
    for (const parent of parents) {
      const counter = keys.counter(parent);
      if ((await workspace.redis.ttl(counter)) > 0) await workspace.redis.del(counter);
    }
  }

  const kinds = {
    message: {
      post: async ({ accept, token }: Scene) => (await accept.message(token, 1, said("body"))).number,
      remove: ({ change, token }: Scene, number: number) => change.deleteMessage(token, 1, number),
    },
    chat: {
      post: async ({ accept, token }: Scene) => (await accept.chat(token, said(null))).number,
      remove: ({ change, token }: Scene, number: number) => change.deleteChat(token, number),
    },
  };

  for (const kind of ["message", "chat"] as const) {
    const { post, remove } = kinds[kind];

    const interlopers: readonly Interloper[] = [
      {
        title: "that flushes the deletion of the newest",
        act: async (others) => {
          await drain(others);
          return [];
        },
      },
      {
        title: "that posts three, flushes them, and leaves its counter to rest",
        act: async (others) => {
          const numbers = [await post(others), await post(others), await post(others)];
          await drain(others);
          await rest();
          return numbers;
        },
      },
      {
        title: "that posts one, flushes and deletes it, and leaves its counter to rest",
        act: async (others) => {
          const number = await post(others);
          await drain(others);
          await remove(others, number);
          await drain(others);
          await rest();
          return [number];
        },
      },
    ];

    for (const { title, act } of interlopers) {
      it(`${title} gives a ${kind} no number again`, async () => {
        const given = new Set<number>([1]);
        const note = (number: number) => {
          expect(given, `step ${step}`).to.not.include(number);
          given.add(number);
        };
        let step = 1;
        for (let isOver = false; !isOver; step += 1) {
          expect(step).to.be.below(mostSteps);
          const newest = await post(scene);
          if (newest !== 1) note(newest);
          await drain(scene);
          await rest();
          await remove(scene, newest);
          const gate = new Gate();
          const paused = await MortalProcess.start(workspace.config, step, gate.pass);
          const posting = post(sceneIn(paused, scene.token));
          isOver = (await Promise.race([gate.reached, posting.then(() => "over")])) === "over";
          if (!isOver) (await act(scene)).forEach(note);
          gate.open();
          note(await posting);
          await paused.end();
          await drain(scene);
          await rest();
        }
        expect(step).to.be.above(5);
      });
    }
  }

  it("that deletes the application in MySQL, while a change of its chat is pending, gives no number again", async () => {
    const store = openStore(workspace.config.database, "writing");
    let step = 1;
    try {
      for (let isOver = false; !isOver; step += 1) {
        expect(step).to.be.below(mostSteps);
        const { token } = (await scene.change.createApplication(`deleted at ${step}`)).application;
        const doomed = sceneIn(other, token);
        await doomed.accept.chat(token, said(null));
        await kinds.message.post(doomed);
        await drain(doomed);
        await workspace.redis.del(keys.counter({ token, chatNumber: 1 }), keys.counter({ token }));
        await doomed.change.updateChat(token, 1, said("changed"));
        const gate = new Gate();
        const paused = await MortalProcess.start(workspace.config, step, gate.pass);
        const posting = kinds.message
          .post(sceneIn(paused, token))
          .catch((error: unknown) => (error as { status: number }).status);
        isOver = (await Promise.race([gate.reached, posting.then(() => "over")])) === "over";
        await store.applications.delete(token);
        gate.open();
        expect(await posting, `step ${step}`).to.be.oneOf([2, 404]);
        await paused.end();
        await other.buffer.revising.markDeleted({ token }, "ever");
        await drain(doomed);
      }
      expect(step).to.be.above(5);
    } finally {
      await store.close();
    }
  });
});
