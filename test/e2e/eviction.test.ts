import { expect } from "chai";

import { PrivateEngine } from "../support/private-engines.ts";
import { RunningSluice } from "../support/running-sluice.ts";

interface Readiness {
  readonly checks: readonly { readonly name: string; readonly ready: boolean; readonly detail: string }[];
}

const complaint =
  "answers, but may evict what was accepted: maxmemory-policy is allkeys-lru, it must be noeviction";

describe("A Redis that may evict what was accepted", () => {
  let redis: PrivateEngine;
  let sluice: RunningSluice;

  before(async () => {
    redis = await PrivateEngine.start("redis", ["--maxmemory-policy", "allkeys-lru"]);
    sluice = await RunningSluice.start(redis.env);
  });

  after(async () => {
    await sluice.stop();
    await redis.close();
  });

  async function readiness(): Promise<{ status: number; redis: Readiness["checks"][number] | undefined }> {
    const { status, body } = await sluice.client.get<Readiness>("/readyz");
    return { status, redis: body.checks.find(({ name }) => name === "redis") };
  }

  it("is warned of when the API starts, and told by /readyz until it is set right", async () => {
    expect(await sluice.api.logged(`Redis ${complaint}`)).to.include({
      level: "warn",
      policy: "allkeys-lru",
    });
    expect(await readiness()).to.deep.equal({
      status: 200,
      redis: { name: "redis", ready: true, detail: complaint },
    });
    await sluice.workspace.redis.config("SET", "maxmemory-policy", "noeviction");
    expect((await readiness()).redis?.detail).to.equal("answers");
  });
});
