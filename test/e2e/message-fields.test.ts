import { expect } from "chai";

import { untilDrained } from "../support/kept.ts";
import { RunningSluice } from "../support/running-sluice.ts";

interface Shown {
  readonly number: number;
  readonly body: string;
  readonly sender?: string;
  readonly metadata?: unknown;
}

const sender = "Ann 😀 <ann@example.com>";
const metadata = { z: 1, a: [true, null, { deep: "\u2028|=x" }], ключ: 1.5, "": "" };

describe("A message's sender and metadata", () => {
  let sluice: RunningSluice;
  let path: string;

  before(async () => {
    sluice = await RunningSluice.start();
    const { body } = await sluice.client.post<{ token: string }>("/applications", { name: "fields" });
    await sluice.client.post(`/applications/${body.token}/chats`);
    path = `/applications/${body.token}/chats/1/messages`;
  });
  after(() => sluice.stop());

  const flush = () => untilDrained(sluice.workspace);
  const get = async (number: number) => (await sluice.client.get<Shown>(`${path}/${number}`)).body;
  const shown = async (number: number) => {
    const { body, sender, metadata } = await get(number);
    return { body, ...(sender !== undefined && { sender }), ...(metadata !== undefined && { metadata }) };
  };
  const send = (method: "PUT" | "PATCH", number: number, change: object) =>
    sluice.client.send<Shown>(method, `${path}/${number}`, JSON.stringify(change));

  async function post(message: object): Promise<number> {
    const answer = await sluice.client.post<{ number: number; message: Shown }>(path, message);
    expect(answer.status).to.equal(201);
    expect(answer.body.message).to.deep.include(message);
    return answer.body.number;
  }

  it("are shown wherever the message is, from its 201 on and once it is flushed", async () => {
    const number = await post({ body: "with both", sender, metadata });
    for (const look of ["pending", "flushed"]) {
      expect(await shown(number), look).to.deep.equal({ body: "with both", sender, metadata });
      const listed = await sluice.client.get<{ messages: Shown[] }>(path);
      expect(listed.body.messages.at(-1)).to.deep.include({ number, sender, metadata });
      const found = await sluice.client.get<{ messages: Shown[] }>(`${path}/search?query=both`);
      expect(found.body.messages[0]).to.deep.include({ number, sender, metadata });
      await flush();
    }
    const row: unknown = await sluice.workspace.sql("messages").where({ number }).first("sender", "metadata");
    expect(row).to.deep.equal({ sender, metadata: JSON.stringify(metadata) });
  });

  it("come back with their members in the order in which they were sent", async () => {
    const sent = '{"body":"in order","metadata":{"zebra":1,"constructor":{"x":1},"ant":{"m":2,"b":3}}}';
    const { body } = await sluice.client.send<{ number: number }>("POST", path, sent);
    for (const look of ["pending", "flushed"]) {
      const text = JSON.stringify((await get(body.number)).metadata);
      expect(text, look).to.equal('{"zebra":1,"constructor":{"x":1},"ant":{"m":2,"b":3}}');
      await flush();
    }
  });

  it("are no members at all where they are not set", async () => {
    const number = await post({ body: "plain" });
    for (const look of ["pending", "flushed"]) {
      expect(await get(number), look).to.have.all.keys("number", "body", "created_at", "updated_at");
      await flush();
    }
    const nulls = { body: "null", sender: null, metadata: null };
    expect((await sluice.client.post<{ message: object }>(path, nulls)).body.message).to.not.have.any.keys(
      "sender",
      "metadata",
    );
  });

  for (const flushed of [false, true])
    describe(flushed ? "of a message that is flushed" : "of a message that is pending", () => {
      let number: number;
      beforeEach(async () => {
        number = await post({ body: "first", sender, metadata });
        if (flushed) await flush();
      });

      const cases: readonly [what: string, method: "PUT" | "PATCH", change: object, expected: object][] = [
        ["stay where a PATCH names the body", "PATCH", { body: "b" }, { body: "b", sender, metadata }],
        ["are changed alone", "PATCH", { sender: "Bob" }, { body: "first", sender: "Bob", metadata }],
        ["are removed by null", "PATCH", { metadata: null }, { body: "first", sender }],
        ["go with a PUT that lacks them", "PUT", { body: "b" }, { body: "b" }],
        ["are replaced by a PUT", "PUT", { body: "b", metadata: {} }, { body: "b", metadata: {} }],
      ];
      for (const [what, method, change, expected] of cases)
        it(what, async () => {
          const answer = await send(method, number, change);
          expect(answer.status).to.equal(200);
          expect(await shown(number)).to.deep.equal(expected);
          await flush();
          expect(await shown(number)).to.deep.equal(expected);
        });
    });

  it("belong to what an Idempotency-Key stands for", async () => {
    const under = async (message: object) =>
      sluice.client.send("POST", path, JSON.stringify(message), { "idempotency-key": "fields-1" });
    expect((await under({ body: "once", sender })).status).to.equal(201);
    const again = await under({ body: "once", sender });
    expect([again.status, again.headers["idempotency-replayed"]]).to.deep.equal([201, "true"]);
    expect((await under({ body: "once", sender: "Bob" })).status).to.equal(422);
    expect((await under({ body: "once" })).status).to.equal(422);
  });

  const longest = JSON.stringify({ a: "é".repeat((4096 - '{"a":""}'.length) / 2) });
  it("may be as long as they may", async () => {
    const message = { body: "long", sender: "😀".repeat(255), metadata: JSON.parse(longest) as object };
    const number = await post(message);
    await flush();
    expect(await shown(number)).to.deep.equal(message);
  });

  const refused: readonly [message: object, field: "sender" | "metadata", says: string][] = [
    [{ sender: " " }, "sender", "can't be blank"],
    [{ sender: 1 }, "sender", "must be a string"],
    [{ sender: "x".repeat(256) }, "sender", "is too long (maximum is 255 characters)"],
    [{ sender: "a\ud83d" }, "sender", "must be well-formed Unicode text"],
    [{ metadata: [] }, "metadata", "must be an object"],
    [{ metadata: "{}" }, "metadata", "must be an object"],
    [
      { metadata: { ...(JSON.parse(longest) as object), b: 1 } },
      "metadata",
      "is too large (maximum is 4096 bytes of JSON)",
    ],
  ];
  for (const [message, field, says] of refused)
    it(`are refused, and nothing is kept: ${JSON.stringify(message).slice(0, 40)}`, async () => {
      const number = await post({ body: "before" });
      const answer = await sluice.client.post<{ error: string }>(path, { body: "b", ...message });
      expect([answer.status, answer.body.error]).to.deep.equal([
        400,
        `Invalid request body: ${field} ${says}`,
      ]);
      const changed = await sluice.client.send<{ errors: object }>(
        "PATCH",
        `${path}/${number}`,
        JSON.stringify(message),
      );
      expect([changed.status, changed.body.errors]).to.deep.equal([422, { [field]: [says] }]);
      expect(await shown(number)).to.deep.equal({ body: "before" });
      expect(await post({ body: "after" })).to.equal(number + 1);
    });
});
