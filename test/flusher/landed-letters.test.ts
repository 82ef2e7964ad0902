import { expect } from "chai";

import { parentPath } from "../../src/buffer/references.ts";
import { dropLanded } from "../../src/flusher/landed-letters.ts";
import { seed } from "../support/buffers.ts";
import { chat, DeadLetterStage, type KindName, token, wholeList } from "./dead-letter-stage.ts";

/** Redis keys of a dead letter, and what is in them. */
interface Kept {
  readonly id: string;
  readonly home: string;
  readonly field: string;
  readonly payload: string;
}

for (const name of ["chat", "message"] as const satisfies readonly KindName[])
  describe(`A dead letter of a ${name} that an older copy of Redis brings back`, () => {
    let stage: DeadLetterStage;

    beforeEach(async () => {
      stage = await DeadLetterStage.open();
      if (name === "chat") return;
      await stage.accept({ token }, "its chat");
      await stage.drain();
      await seed(stage.buffer, chat, 0);
    });

    afterEach(() => stage.close());

    const kind = () => stage.kind(name);

    async function keptOf(number: number, origin: "dead" | "revision"): Promise<Kept> {
      const { id } = await stage.onlyLetter();
      const parent = kind().parent;
      const home = origin === "dead" ? stage.keys.dead(parent) : stage.keys.revisions(parent);
      const field = String(number);
      return { id, home, field, payload: (await stage.workspace.redis.hget(home, field)) ?? "" };
    }

    async function bringBack({ id, home, field, payload }: Kept): Promise<void> {
      const { redis } = stage.workspace;
      const bytes = Buffer.byteLength(payload);
      await redis.hset(home, field, payload);
      await redis.zadd(stage.keys.deadLetters(0), Date.now(), id);
      await redis.hset(stage.keys.deadReasons(0), id, "refused in the copy");
      await redis.hincrby(stage.keys.meta(0), "bytes", bytes);
      await redis.hincrby(stage.keys.counter(kind().parent), "bytes", bytes);
      await redis.persist(stage.keys.counter(kind().parent));
    }

    /** A record that was refused as new, was mended and has landed; and its letter again. */
    async function landedAndBack(): Promise<number> {
      const number = await kind().refused();
      await stage.drain();
      const kept = await keptOf(number, "dead");
      await stage.revise(name, number, kind().mended);
      await stage.drain();
      expect(await stage.storedText(name, number)).to.equal("mended");
      await bringBack(kept);
      return number;
    }

    it("is dropped, and readers see what landed", async () => {
      const number = await landedAndBack();
      await dropLanded(stage.buffer, stage.store, 0);
      expect(await stage.letters()).to.deep.equal([]);
      expect((await kind().read(number)).text).to.equal("mended");
      expect((await kind().list(wholeList)).at(-1)).to.deep.equal({ number, text: "mended" });
      await stage.expectNothingLeft();
    });

    it("is not made once more where the copy holds the record pending, as it was accepted", async () => {
      const { redis } = stage.workspace;
      const { parent } = kind();
      const number = await kind().refused();
      const pending = await redis.hget(stage.keys.pending(parent), String(number));
      await stage.revise(name, number, kind().mended);
      await stage.drain();
      expect(await stage.storedText(name, number)).to.equal("mended");
      await redis.hset(stage.keys.pending(parent), number, pending ?? "");
      await redis.rpush(stage.keys.list(0, kind().table), `${parentPath(parent)}:${number}`);
      for (const key of [stage.keys.meta(0), stage.keys.counter(parent)])
        await redis.hincrby(key, "bytes", Buffer.byteLength(pending ?? ""));
      await redis.persist(stage.keys.counter(parent));
      await stage.drain();
      expect(await stage.letters()).to.deep.equal([]);
      expect((await kind().read(number)).text).to.equal("mended");
      await stage.expectNothingLeft();
    });

    it("takes no row along where it is discarded before that", async () => {
      const number = await landedAndBack();
      if (name === "chat") {
        await stage.accept(chat, "beneath it").catch(() => undefined);
        stage.workspace.expectFindings("beneath-deleted");
      }
      await stage.buffer.deadLetters.discard((await stage.onlyLetter()).id);
      await stage.drain();
      expect(await stage.storedText(name, number)).to.equal("mended");
      expect(await stage.workspace.sql("removals").select()).to.deep.equal([]);
      expect(await stage.letters()).to.deep.equal([]);
    });

    it("stays where MySQL has no row of it, and where it is a change that is newer than the row", async () => {
      const number = await kind().refused();
      await stage.drain();
      await dropLanded(stage.buffer, stage.store, 0);
      const letter = await stage.onlyLetter();
      await stage.buffer.deadLetters.discard(letter.id);
      await stage.drain();
      await stage.accept(kind().parent, "fine");
      await stage.drain();
      await stage.revise(name, number + 1, kind().refusable);
      await stage.drain();
      await dropLanded(stage.buffer, stage.store, 0);
      expect((await stage.onlyLetter()).number).to.equal(number + 1);
    });

    it("is dropped as well where it is a change and a later one has landed", async () => {
      const number = await stage.accept(kind().parent, "fine");
      await stage.drain();
      const later = { text: "landed later", updatedAtMs: Date.now() + 60_000 };
      const refusable = { ...kind().refusable, ...(name === "chat" && { updatedAtMs: Date.now() + 1000 }) };
      await stage.revise(name, number, refusable);
      await stage.drain();
      const kept = await keptOf(number, "revision");
      await stage.revise(name, number, later);
      await stage.drain();
      await bringBack(kept);
      await dropLanded(stage.buffer, stage.store, 0);
      const left = name === "chat" ? [] : [number];
      expect((await stage.letters()).map((one) => one.number)).to.deep.equal(left);
    });
  });
