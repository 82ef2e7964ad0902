import { expect } from "chai";
import { Redis } from "ioredis";

import { FaultProxy } from "../support/fault-proxy.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { RunningSluice } from "../support/running-sluice.ts";
import { waitFor } from "../support/wait-for.ts";

const gap = 500;

/** A master with a replica, both behind one address, as a failover by address has it. */
class ReplicatedRedis {
  readonly #master: PrivateEngine;
  readonly #replica: PrivateEngine;
  readonly #clients: readonly [master: Redis, replica: Redis];
  /** Where clients connect. */
  readonly #front: FaultProxy;
  /** Between replica and master. */
  readonly #link: FaultProxy;

  private constructor(
    [master, replica]: readonly [PrivateEngine, PrivateEngine],
    clients: readonly [Redis, Redis],
    [front, link]: readonly [FaultProxy, FaultProxy],
  ) {
    this.#master = master;
    this.#replica = replica;
    this.#clients = clients;
    this.#front = front;
    this.#link = link;
  }

  static async start(): Promise<ReplicatedRedis> {
    const engines = await Promise.all([PrivateEngine.start("redis"), PrivateEngine.start("redis")] as const);
    const [master, replica] = engines;
    const clients = [clientOf(master), clientOf(replica)] as const;
    const [front, link] = await Promise.all([FaultProxy.to(master.port), FaultProxy.to(master.port)]);
    const password = new URL(master.env["REDIS_URL"] ?? "").password;
    // The replica must take the clients' password once it is the master, and the other follow it.
    await clients[1].config("SET", "requirepass", password, "masterauth", password);
    await clients[0].config("SET", "masterauth", password);
    await clients[1].replicaof("127.0.0.1", link.port);
    return new ReplicatedRedis(engines, clients, [front, link]);
  }

  get env(): NodeJS.ProcessEnv {
    return this.#master.addressesAt(this.#front.port);
  }

  /** Resolves when the replica has all that the master has. */
  async caughtUp(): Promise<void> {
    const [master, replica] = this.#clients;
    await waitFor(
      async () => {
        const [own, theirs] = await Promise.all([master.info("replication"), replica.info("replication")]);
        const isLinked = field(theirs, "master_link_status") === "up";
        return isLinked && field(own, "master_repl_offset") === field(theirs, "slave_repl_offset");
      },
      { what: "the replica to have caught up" },
    );
  }

  /** Lets nothing reach the replica any more. */
  lag(): void {
    this.#link.stall();
  }

  /** Makes the replica the master, and leads whoever connects to it; the old master is killed, or demoted. */
  async failOver(oldMaster: "killed" | "demoted"): Promise<void> {
    const [master, replica] = this.#clients;
    await replica.replicaof("NO", "ONE");
    this.#front.retarget(this.#replica.port);
    if (oldMaster === "killed") await this.#master.stop("SIGKILL");
    else await master.replicaof("127.0.0.1", this.#replica.port);
  }

  /** Makes the master a replica of its own replica, which may lack something, for as long as `meanwhile` takes. */
  async demoteFor(meanwhile: () => Promise<void>): Promise<void> {
    const [master, replica] = this.#clients;
    await replica.replicaof("NO", "ONE");
    await master.replicaof("127.0.0.1", this.#replica.port);
    await waitFor(async () => field(await master.info("replication"), "master_link_status") === "up", {
      what: "the old master to follow",
    });
    await meanwhile();
    await master.replicaof("NO", "ONE");
  }

  /** Ends the connections to an old master: nobody else may clean up there. */
  leaveOldMaster(): void {
    this.#front.cut();
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.disconnect();
    await Promise.all([this.#front.close(), this.#link.close()]);
    await Promise.all([this.#master.close(), this.#replica.close()]);
  }
}

function clientOf(engine: PrivateEngine): Redis {
  const client = new Redis(engine.env["REDIS_URL"] ?? "");
  // A killed server is what the tests are about.
  client.on("error", () => undefined);
  return client;
}

function field(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1];
}

describe("When a replica takes over from its master", () => {
  let redis: ReplicatedRedis;
  let sluice: RunningSluice;
  let messages: string;

  beforeEach(async () => {
    redis = await ReplicatedRedis.start();
    sluice = await RunningSluice.start({ ...redis.env, NUMBER_GAP_AFTER_LOSS: String(gap) });
    const { client } = sluice;
    const { token } = (await client.post<{ token: string }>("/applications", { name: "failover" })).body;
    await client.post(`/applications/${token}/chats`);
    messages = `/applications/${token}/chats/1/messages`;
  });

  afterEach(async () => {
    redis.leaveOldMaster();
    await sluice.stop();
    await redis.close();
  });

  /** Posts until each body has a 201; answers their numbers. Meanwhile nothing is answered but 201 and 503. */
  async function post(count: number, prefix: string): Promise<number[]> {
    const numbers: number[] = [];
    for (let at = 1; at <= count; at += 1) {
      const accepted = await waitFor(
        async () => {
          const answer = await sluice.client.post<{ number: number }>(messages, { body: `${prefix} ${at}` });
          expect(answer.status).to.be.oneOf([201, 503]);
          return answer.status === 201 ? answer.body : undefined;
        },
        { what: `a 201 for ${prefix} ${at}` },
      );
      numbers.push(accepted.number);
    }
    return numbers;
  }

  async function untilStored(numbers: readonly number[]): Promise<void> {
    await waitFor(
      async () => {
        const rows: { number: number }[] = await sluice.workspace.sql("messages").select("number");
        const stored = new Set(rows.map(({ number }) => number));
        return numbers.every((number) => stored.has(number));
      },
      { what: "the messages in MySQL" },
    );
  }

  const conflicts = () => sluice.metric("sluice_number_conflicts_total");

  it("gives no number again that the master had given and flushed, be the replica far behind", async () => {
    const before = await post(30, "before");
    await untilStored(before);
    await redis.caughtUp();
    redis.lag();
    const unseen = await post(30, "unseen by the replica");
    await untilStored(unseen);
    await redis.failOver("killed");
    const after = await post(30, "after");
    expect(Math.min(...after)).to.be.above(Math.max(...unseen));
    await untilStored([...before, ...unseen, ...after]);
    expect(await conflicts()).to.equal(0);
  });

  it("gives no number again where the master was a replica for a while and comes back with that one's data", async () => {
    const before = await post(10, "before");
    await untilStored(before);
    await redis.caughtUp();
    redis.lag();
    const unseen = await post(10, "unseen by the replica");
    await untilStored(unseen);
    await redis.demoteFor(async () => {
      expect((await sluice.client.post(messages, { body: "to a replica" })).status).to.equal(503);
    });
    const after = await post(10, "after");
    expect(Math.min(...after)).to.be.above(Math.max(...unseen));
    await untilStored([...before, ...unseen, ...after]);
    expect(await conflicts()).to.equal(0);
  });

  it("loses nothing and leaves no gap where the replica had everything", async () => {
    const before = await post(30, "before");
    await redis.caughtUp();
    await redis.failOver("killed");
    const after = await post(10, "after");
    expect([...before, ...after]).to.deep.equal(Array.from({ length: 40 }, (_, at) => at + 1));
    await untilStored([...before, ...after]);
    expect(await conflicts()).to.equal(0);
  });

  it("follows it also where the old master lives on, demoted, and keeps its connections", async () => {
    const before = await post(10, "before");
    await redis.caughtUp();
    await redis.failOver("demoted");
    const after = await post(10, "after");
    expect(Math.min(...after)).to.be.above(Math.max(...before));
    await untilStored([...before, ...after]);
    expect(await conflicts()).to.equal(0);
  });
});
