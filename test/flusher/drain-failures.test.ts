import { expect } from "chai";

import type { Buffer } from "../../src/buffer/buffer.ts";
import { BufferUnavailableError } from "../../src/buffer/connections.ts";
import { DrainStoppedError, LeaseLostError, UnbalancedBatchError } from "../../src/flusher/drain-errors.ts";
import { Drain, type DrainParts } from "../../src/flusher/drain.ts";
import type { Clock, FlushLog, Sink, Source } from "../../src/flusher/ports.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { operationIdOf, requestOf } from "../support/requests.ts";
import { emptyEngines, openTestBuffer, seed } from "../support/buffers.ts";
import { Flushing } from "../support/flushing.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

const token = "application";
const thresholds = { chats: 10, messages: 10 };
const messageCount = 95;
const failing = (code: string, errno: number) => Object.assign(new Error("injected"), { code, errno });
const refused = () => failing("ECONNREFUSED", -111);
const deadlock = () => failing("ER_LOCK_DEADLOCK", 1213);
const noTable = () => failing("ER_NO_SUCH_TABLE", 1146);

describe("A drain that fails", () => {
  let workspace: Workspace;
  let buffer: Buffer;
  let store: Store;
  let flushing: Flushing;
  let stop: AbortController;
  let slept: number[];
  let told: string[];

  before(async () => {
    workspace = await openWorkspace();
    store = openStore(workspace.config.database, "writing");
    buffer = await openTestBuffer(workspace, "draining", { thresholds });
  });

  beforeEach(async () => {
    await emptyEngines(workspace);
    flushing = await Flushing.begin(buffer, store);
    stop = new AbortController();
    slept = [];
    told = [];
    await acceptAll();
  });

  after(async () => {
    buffer.close();
    await store.close();
    await workspace.close();
  });

  async function acceptAll(): Promise<void> {
    await seed(buffer, { token }, 0);
    for (let at = 0; at <= messageCount; at += 1) {
      const parent = at === 0 ? { token } : { token, chatNumber: 1 };
      await buffer.accepting.accept(parent, requestOf(operationIdOf(at), `text ${at}`));
    }
  }

  const clock: Clock = {
    nowMs: () => performance.now(),
    sleep: (ms) => {
      slept.push(ms);
      return new Promise((resolve) => setImmediate(resolve));
    },
  };
  const note = (level: string) => (_fields: object, message: string) => {
    told.push(`${level}: ${message}`);
  };
  const log: FlushLog = {
    debug: () => undefined,
    info: note("info"),
    warn: note("warn"),
    error: note("error"),
  };
  const realSink: Sink = { write: (list, rows) => flushing.sink.write(list, rows) };

  function parts(over: { sink?: Sink; source?: Partial<Source> } = {}): DrainParts {
    const source: Source = { ...flushing.source(20), ...over.source };
    return {
      isHeld: () => true,
      sink: realSink,
      clock,
      log,
      thresholds,
      maxRows: 20,
      signal: stop.signal,
      ...over,
      source,
    };
  }

  const drain = (over: Parameters<typeof parts>[0] = {}) => new Drain(parts(over));
  const failureOf = (run: Promise<unknown>) => run.then(() => undefined).catch((error: unknown) => error);

  /** Fails calls with what `next` gives, and lets the call through where it gives nothing. */
  const sinkThat = (next: () => Error | undefined): Sink => ({
    write(list, rows) {
      const error = next();
      return error ? Promise.reject(error) : realSink.write(list, rows);
    },
  });

  const storedMessages = async () =>
    (
      (await workspace.sql("messages").select("number", "body").orderBy("number")) as { number: number }[]
    ).map(({ number }) => number);
  const pending = async () => (await buffer.totals.read(0)).pending;

  async function expectAllLanded(): Promise<void> {
    expect(await pending()).to.deep.equal({ chats: 0, messages: 0 });
    expect((await buffer.totals.read(0)).pendingBytes).to.equal(0);
    expect(await storedMessages()).to.deep.equal(Array.from({ length: messageCount }, (_, at) => at + 1));
  }

  describe("between commit and ack", () => {
    for (const deadAfter of [1, 2, 4]) {
      it(`writes nothing twice and leaves nothing, dead after ${deadAfter} writes`, async () => {
        let writes = 0;
        const sink: Sink = {
          async write(list, rows) {
            const outcome = await realSink.write(list, rows);
            writes += 1;
            if (writes === deadAfter) throw new Error("the process died here");
            return outcome;
          },
        };
        expect(await failureOf(drain({ sink }).run("minute"))).to.have.property(
          "message",
          "the process died here",
        );
        await drain().run("minute");
        await expectAllLanded();
        expect((await buffer.totals.read(0)).flushed.get("already-there")).to.be.greaterThan(0);
      });
    }

    it("writes nothing twice when every write is answered with a lost connection", async () => {
      const seen = new Set<number>();
      const sink: Sink = {
        async write(list, rows) {
          const outcome = await realSink.write(list, rows);
          const first = (rows[0]?.number ?? 0) + (list === "chats" ? 1e6 : 0);
          if (seen.has(first)) return outcome;
          seen.add(first);
          throw failing("PROTOCOL_CONNECTION_LOST", 0);
        },
      };
      await drain({ sink }).run("minute");
      await expectAllLanded();
    });

    it("takes no other record off the list when the ack's answer is lost", async () => {
      const lost = new Set<string>();
      const source: Partial<Source> = {
        async acknowledge(batch, deaths, totals) {
          const reply = await buffer.batches.acknowledge(flushing.lease, batch, deaths, totals);
          const [first = ""] = batch.references;
          if (lost.has(first)) return reply;
          lost.add(first);
          throw new BufferUnavailableError("the answer was lost");
        },
      };
      await drain({ source }).run("minute");
      await expectAllLanded();
      expect((await buffer.totals.read(0)).flushed.get("rows:minute")).to.equal(messageCount + 1);
    });
  });

  describe("as MySQL is away", () => {
    it("waits for as long as it takes, longer each time, and says so once", async () => {
      let failures = 50;
      await drain({ sink: sinkThat(() => (failures-- > 0 ? refused() : undefined)) }).run("minute");
      await expectAllLanded();
      expect(slept).to.have.lengthOf(50);
      expect(slept[0]).to.be.within(50, 100);
      expect(slept.at(-1)).to.be.within(2500, 5000);
      expect(told).to.deep.equal(["warn: flushing waits", "info: flushing goes on"]);
    });

    it("ends as soon as it is told to stop, with everything where it was", async () => {
      let failures = 0;
      const sink = sinkThat(() => {
        failures += 1;
        if (failures === 3) stop.abort();
        return refused();
      });
      expect(await failureOf(drain({ sink }).run("minute"))).to.be.instanceOf(DrainStoppedError);
      expect(await pending()).to.deep.equal({ chats: 1, messages: messageCount });
      expect(failures).to.equal(3);
    });
  });

  it("waits out an outage of Redis at every arrow", async () => {
    let failures = 0;
    const sometimes = <T>(call: () => Promise<T>): Promise<T> => {
      failures += 1;
      return failures % 2 === 1 ? Promise.reject(new BufferUnavailableError("injected")) : call();
    };
    const own = parts();
    const source: Source = {
      length: (list) => sometimes(() => own.source.length(list)),
      peek: (list, skip) => sometimes(() => own.source.peek(list, skip)),
      stranded: (batch) => own.source.stranded(batch),
      acknowledge: (batch, deaths, totals) => sometimes(() => own.source.acknowledge(batch, deaths, totals)),
      isPaused: () => sometimes(() => own.source.isPaused()),
      remember: (flush) => sometimes(() => own.source.remember(flush)),
    };
    await drain({ source }).run("minute");
    await expectAllLanded();
  });

  it("waits out contention", async () => {
    let failures = 5;
    await drain({ sink: sinkThat(() => (failures-- > 0 ? deadlock() : undefined)) }).run("minute");
    await expectAllLanded();
  });

  it("leaves endless contention to the next trigger", async () => {
    const contended = deadlock();
    let attempts = 0;
    const sink = sinkThat(() => {
      attempts += 1;
      return contended;
    });
    expect(await failureOf(drain({ sink }).run("minute"))).to.equal(contended);
    expect(attempts).to.be.within(2, 100);
    expect(await pending()).to.deep.equal({ chats: 1, messages: messageCount });
    await drain().run("minute");
    await expectAllLanded();
  });

  it("repeats nothing that is a defect, and keeps everything", async () => {
    let attempts = 0;
    const defect = noTable();
    const sink = sinkThat(() => {
      attempts += 1;
      return defect;
    });
    expect(await failureOf(drain({ sink }).run("minute"))).to.equal(defect);
    expect(attempts).to.equal(1);
    expect(await pending()).to.deep.equal({ chats: 1, messages: messageCount });
  });

  it("writes nothing more once its lease can have expired, be it read already", async () => {
    let writes = 0;
    const sink = sinkThat(() => void (writes += 1));
    const own = new Drain({ ...parts({ sink }), isHeld: () => writes < 3 });
    expect(await failureOf(own.run("minute"))).to.be.instanceOf(LeaseLostError);
    expect(await pending()).to.deep.equal({ chats: 0, messages: messageCount - 40 });
    expect((await storedMessages()).length).to.equal(40);
  });

  describe("to balance", () => {
    it("acknowledges nothing of a batch of which a row is unaccounted for", async () => {
      const sink: Sink = {
        async write(list, rows) {
          const outcome = await realSink.write(list, rows);
          return list === "chats" ? outcome : { ...outcome, inserted: outcome.inserted - 1 };
        },
      };
      expect(await failureOf(drain({ sink }).run("minute"))).to.be.instanceOf(UnbalancedBatchError);
      expect(await pending()).to.deep.equal({ chats: 0, messages: messageCount });
      await drain().run("minute");
      await expectAllLanded();
    });

    it("keeps a record apart whose number another record holds, and lands its neighbours", async () => {
      await workspace.sql("messages").insert({
        application_token: token,
        chat_number: 1,
        number: 7,
        body: "was there first",
        operation_id: "another-operatio",
        created_at: new Date(0),
        updated_at: new Date(0),
      });
      await drain().run("minute");
      await expectAllLanded();
      const { flushed, deadLetters } = await buffer.totals.read(0);
      expect([flushed.get("conflicts"), deadLetters]).to.deep.equal([1, 1]);
      expect(told.filter((line) => line.startsWith("error"))).to.have.lengthOf(1);
      expect(await workspace.sql("messages").where({ number: 7 }).first("body")).to.deep.equal({
        body: "was there first",
      });
    });
  });
});
