import { expect } from "chai";

import {
  chat,
  DeadLetterStage,
  type Kind,
  statusOf,
  tooLongTitle,
  token,
  wholeList,
} from "./dead-letter-stage.ts";

describe("A record that MySQL refuses", () => {
  let stage: DeadLetterStage;

  beforeEach(async () => {
    stage = await DeadLetterStage.open();
  });

  afterEach(async () => {
    await stage.close();
  });

  for (const kind of ["chat", "message"] as const) {
    let own: Kind;

    beforeEach(() => {
      own = stage.kind(kind);
    });

    describe(`as a ${kind}`, () => {
      let number: number;

      beforeEach(async () => {
        await stage.accept({ token }, "neighbour");
        if (kind === "message") await stage.accept(chat, "neighbour");
        number = await own.refused();
        await stage.drain();
        expect(number).to.equal(2);
      });

      it("is a dead letter that readers find, alone and in lists", async () => {
        expect(await stage.onlyLetter()).to.deep.include({ ...own.parent, number, reason: own.reason });
        expect(await own.read(number)).to.deep.equal({ number, text: own.refusedText });
        const all = [
          { number: 1, text: "neighbour" },
          { number: 2, text: own.refusedText },
        ];
        for (const at of [1, 2]) {
          const page = { start: { kind: "page", number: at }, perPage: 1, order: "asc" } as const;
          expect(await own.list(page)).to.deep.equal(all.slice(at - 1, at));
          expect(await own.list({ ...page, order: "desc" })).to.deep.equal(all.slice(2 - at, 3 - at));
        }
      });

      it("lands after it was mended, and leaves nothing", async () => {
        await stage.revise(kind, number, own.mended);
        expect(await stage.letters()).to.deep.equal([]);
        expect(await own.read(number)).to.deep.equal({ number, text: "mended" });
        await stage.drain();
        expect(await stage.storedText(kind, number)).to.equal("mended");
        expect(await own.read(number)).to.deep.equal({ number, text: "mended" });
        await stage.expectNothingLeft();
      });

      it("dies again where it is tried again as it is", async () => {
        const { id } = await stage.onlyLetter();
        expect(await stage.buffer.deadLetters.requeue(id)).to.equal(true);
        expect(await stage.letters()).to.deep.equal([]);
        expect(await stage.buffer.deadLetters.requeue(id)).to.equal(false);
        expect(await own.read(number)).to.deep.equal({ number, text: own.refusedText });
        await stage.drain();
        expect(await stage.onlyLetter()).to.deep.include({ ...own.parent, number, reason: own.reason, id });
        expect([await stage.total("refused"), stage.errors.length]).to.deep.equal([2, 2]);
        expect(await stage.buffer.deadLetters.discard(id)).to.equal(true);
        await stage.drain();
        await stage.expectNothingLeft();
      });

      it("dies again where it is changed to what MySQL refuses too", async () => {
        await stage.revise(kind, number, { ...own.refusable, text: tooLongTitle });
        await stage.drain();
        expect((await stage.onlyLetter()).record?.text).to.equal(tooLongTitle);
        expect(await own.read(number)).to.deep.equal({ number, text: tooLongTitle });
        await stage.revise(kind, number, own.mended);
        await stage.drain();
        expect(await stage.storedText(kind, number)).to.equal("mended");
        await stage.expectNothingLeft();
      });

      it("is gone when it is discarded, and its number is not given again", async () => {
        const { id } = await stage.onlyLetter();
        expect(await stage.buffer.deadLetters.discard(id)).to.equal(true);
        expect(await stage.buffer.deadLetters.discard(id)).to.equal(false);
        expect(await stage.buffer.deadLetters.requeue(id)).to.equal(false);
        expect(await statusOf(own.read(number))).to.equal(404);
        expect(await own.list(wholeList)).to.deep.equal([{ number: 1, text: "neighbour" }]);
        await stage.drain();
        await stage.expectNothingLeft();
        expect(await statusOf(own.read(number))).to.equal(404);
        expect(await stage.accept(own.parent, "after")).to.equal(number + 1);
        await stage.drain();
        expect(await stage.storedText(kind, number)).to.equal(undefined);
      });

      it("is gone for readers when its user deletes it, leaves with the next flush, and keeps its number", async () => {
        await own.deleteIt(number);
        expect(await statusOf(own.read(number))).to.equal(404);
        expect(await own.list(wholeList)).to.deep.equal([{ number: 1, text: "neighbour" }]);
        await stage.drain();
        expect(await statusOf(own.read(number))).to.equal(404);
        expect(await stage.letters()).to.deep.equal([]);
        await stage.expectNothingLeft();
        await stage.workspace.redis.del(stage.keys.counter(own.parent));
        const stored =
          kind === "chat"
            ? await stage.store.numbers.under({ token })
            : await stage.store.numbers.under({ token, chatNumber: 1 });
        expect(stored?.greatest).to.equal(number);
      });
    });

    it(`as a change of a stored ${kind} keeps the row and shows the change until it is mended`, async () => {
      await stage.accept({ token }, "as stored");
      if (kind === "message") await stage.accept(chat, "as stored");
      await stage.drain();
      await stage.revise(kind, 1, own.refusable);
      await stage.drain();
      const { text } = own.refusable;
      expect(await stage.onlyLetter()).to.deep.include({ ...own.parent, number: 1, reason: own.reason });
      expect(await stage.storedText(kind, 1)).to.equal("as stored");
      expect([await own.read(1), await own.list(wholeList)]).to.deep.equal([
        { number: 1, text },
        [{ number: 1, text }],
      ]);
      await stage.revise(kind, 1, own.mended);
      await stage.drain();
      expect(await stage.storedText(kind, 1)).to.equal("mended");
      expect([await own.read(1), await own.list(wholeList)]).to.deep.equal([
        { number: 1, text: "mended" },
        [{ number: 1, text: "mended" }],
      ]);
      await stage.expectNothingLeft();
    });

    it(`as a change of a stored ${kind} gives way to the row when it is discarded`, async () => {
      await stage.accept({ token }, "as stored");
      if (kind === "message") await stage.accept(chat, "as stored");
      await stage.drain();
      await stage.revise(kind, 1, own.refusable);
      await stage.drain();
      expect(await stage.buffer.deadLetters.discard((await stage.onlyLetter()).id)).to.equal(true);
      expect(await own.read(1)).to.deep.equal({ number: 1, text: "as stored" });
      await stage.expectNothingLeft();
    });

    it(`since another record holds the number of the ${kind} is a conflict, and the row is untouched`, async () => {
      if (kind === "message") await stage.accept({ token }, "chat");
      const other = { operation_id: "another-record-x", created_at: new Date(0), updated_at: new Date(0) };
      const text = kind === "chat" ? { title: "was there first" } : { body: "was there first" };
      await stage.workspace.sql(own.table).insert({ ...own.row(1), ...text, ...other });
      expect(await stage.accept(own.parent, "came second")).to.equal(1);
      expect(await stage.accept(own.parent, "third")).to.equal(2);
      await stage.drain();
      expect([await stage.storedText(kind, 1), await stage.storedText(kind, 2)]).to.deep.equal([
        "was there first",
        "third",
      ]);
      const letter = await stage.onlyLetter();
      expect(letter).to.deep.include({ ...own.parent, number: 1 });
      expect(letter.reason).to.match(/^conflict/);
      expect(letter.record?.text).to.equal("came second");
      expect([await stage.total("conflicts"), await stage.total("refused")]).to.deep.equal([1, 0]);
      expect(await own.read(1)).to.deep.equal({ number: 1, text: "was there first" });
      expect(await stage.buffer.deadLetters.requeue(letter.id)).to.equal(false);
      expect(await stage.letters()).to.have.lengthOf(1);
      expect(await stage.buffer.deadLetters.discard(letter.id)).to.equal(true);
      await stage.expectNothingLeft();
    });
  }
});
