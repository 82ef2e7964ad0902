import { expect } from "chai";

import { redisUsers } from "../support/least-rights.ts";
import { PrivateEngine } from "../support/private-engines.ts";
import { RunningSluice } from "../support/running-sluice.ts";
import { runCommand } from "../support/sluice-command.ts";
import { waitFor } from "../support/wait-for.ts";

describe("The rights that are documented for Redis", () => {
  let engine: PrivateEngine;
  let sluice: RunningSluice;

  before(async () => {
    engine = await PrivateEngine.start("redis");
    sluice = await RunningSluice.start(engine.env, { RATE_LIMIT_PER_MINUTE: "10000" });
  });

  after(async () => {
    await sluice.stop();
    await engine.close();
  });

  it("are enough for an API and a flusher", async () => {
    const { workspace } = sluice;
    const { redis, sql, config } = workspace;
    const space = `${config.redis.namespace}:*`;
    const rights = redisUsers()[0]?.commands.map((command) => `+${command}`) ?? [];
    await redis.call(
      "ACL",
      "SETUSER",
      "limited",
      "on",
      ">secret",
      `~${space}`,
      `&${space}`,
      "-@all",
      ...rights,
    );
    const env = { ...workspace.env, REDIS_URL: `redis://limited:secret@127.0.0.1:${engine.port}` };
    await sluice.restartAs(env);

    const { token } = (await sluice.client.post<{ token: string }>("/applications", { name: "limited" }))
      .body;
    const chats = `/applications/${token}/chats`;
    await waitFor(async () => (await sluice.client.post(chats, {})).status === 201, { what: "a chat" });
    for (const body of ["first", "second"]) {
      const { status } = await sluice.client.send("POST", `${chats}/1/messages`, JSON.stringify({ body }), {
        "idempotency-key": body,
      });
      expect(status).to.equal(201);
    }
    await sluice.client.send("PATCH", `${chats}/1/messages/1`, JSON.stringify({ body: "changed" }));
    await sluice.client.send("DELETE", `${chats}/1/messages/2`);
    expect((await sluice.client.get(`${chats}/1/messages`)).status).to.equal(200);
    const rows = async () => (await sql("messages").select("body")) as unknown[];
    await waitFor(async () => JSON.stringify(await rows()) === '[{"body":"changed"}]', { what: "the row" });
    for (const command of [["status"], ["flush"], ["counts"], ["check"]]) {
      const { code, lines } = await runCommand(command, env);
      expect(code, `${command.join(" ")}: ${lines.join(" ")}`).to.equal(0);
    }
    await sluice.client.send("DELETE", `/applications/${token}`);
    await waitFor(async () => (await rows()).length === 0, { what: "the removal" });
    expect((await sluice.client.get("/readyz")).status).to.equal(200);
    const refused = (await redis.call("ACL", "LOG")) as unknown[][];
    const commands = refused.map((entry) => entry[entry.indexOf("object") + 1]);
    expect(commands.filter((command) => command !== "client|setinfo")).to.deep.equal([]);
  });
});
