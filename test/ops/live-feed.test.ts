import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";

import { expect } from "chai";

import type { Operator } from "../../src/ops/access/operator.ts";
import { LiveFeed } from "../../src/ops/live-feed.ts";
import type { LiveView } from "../../src/ops/live-view.ts";
import { waitFor } from "../support/wait-for.ts";
import { basic, credentials, OpsStage } from "./stage.ts";

describe("Live updates", () => {
  let stage: OpsStage;
  beforeEach(async () => {
    stage = await OpsStage.open(credentials);
  });
  afterEach(() => stage.close());

  async function listen(
    headers: Record<string, string> = { authorization: basic },
  ): Promise<IncomingMessage> {
    const call = get({ port: stage.port, path: "/ops/events", headers, agent: false });
    const [answer] = (await once(call, "response")) as [IncomingMessage];
    return answer.setEncoding("utf8");
  }

  /** The next event that fits. */
  async function eventWhere(answer: IncomingMessage, fits: (view: LiveView) => boolean): Promise<LiveView> {
    let text = "";
    for await (const chunk of answer.iterator({ destroyOnReturn: false })) {
      text += String(chunk);
      for (const [, data = ""] of text.matchAll(/^data: (.*)\n\n/gm)) {
        const view = JSON.parse(data) as LiveView;
        if (fits(view)) return view;
      }
      text = text.slice(text.lastIndexOf("\n\n") + 2);
    }
    throw new Error("the events ended");
  }

  it("bring the numbers of the page anew, once a second", async () => {
    const answer = await listen();
    expect(answer.headers["content-type"]).to.equal("text/event-stream; charset=utf-8");
    expect(answer.headers["cache-control"]).to.include("no-cache");
    expect((await eventWhere(answer, () => true)).fields["pending"]).to.equal("0");
    await stage.workspace.redis.rpush(stage.keys.list(0, "messages"), "token:1:1");
    const view = await eventWhere(answer, ({ fields }) => fields["pending"] === "1");
    expect(view.fields["p0.messages"]).to.equal("1");
    answer.destroy();
  });

  it("are for those who are in, and end with their session", async () => {
    expect((await listen({})).statusCode).to.equal(401);
    let isIn = true;
    const feed = new LiveFeed({ read: () => Promise.resolve({}), everyMs: 20, onFailure: () => undefined });
    const operator: Operator = { who: "a", from: "b", via: "session", formToken: "", isStillIn: () => isIn };
    stage.server.removeAllListeners("request");
    stage.server.on("request", (_request, response) => {
      feed.add(response, operator);
    });
    const answer = await listen();
    answer.resume();
    isIn = false;
    await once(answer, "end");
    await waitFor(() => feed.size === 0, { what: "the page to be forgotten" });
  });

  it("go to so many pages of an address and no more, and a page that closes makes room", async () => {
    const open = await Promise.all(Array.from({ length: 8 }, () => listen()));
    expect(open.map(({ statusCode }) => statusCode)).to.deep.equal(Array(8).fill(200));
    const late = await listen();
    expect([late.statusCode, late.headers["retry-after"]]).to.deep.equal([503, "10"]);
    open[0]?.destroy();
    await waitFor(
      async () => {
        const next = await listen();
        next.destroy();
        return next.statusCode === 200;
      },
      { what: "room for another page" },
    );
    for (const answer of open) answer.destroy();
  });

  it("end when the process stops, so that the server can close", async () => {
    const answer = await listen();
    answer.resume();
    stage.ops.close();
    await once(answer, "end");
    expect((await listen()).statusCode).to.equal(503);
  });
});
