import { once } from "node:events";

import { expect } from "chai";

import { describeWithElasticsearch, elasticsearchUrl } from "../support/elasticsearch.ts";
import { openTestBuffer } from "../support/buffers.ts";
import { SluiceProcess, startFlusher } from "../support/sluice-process.ts";
import { waitFor } from "../support/wait-for.ts";
import { chatOf, SearchStage } from "./search-stage.ts";

const chat = { token: "k".repeat(22), chatNumber: 1 };

describeWithElasticsearch("The commands of search", function () {
  this.timeout(180_000);
  let stage: SearchStage;

  before(async () => {
    stage = await SearchStage.open(elasticsearchUrl());
    await stage.insert(chatOf(chat, ["one thing", "another thing", "a third thing"]));
  });

  after(() => stage.close());

  /** Runs a command to its end. */
  async function run(...command: string[]): Promise<{ code: number | null; output: string }> {
    const started = new SluiceProcess(command, stage.workspace.env);
    await once(started.child, "close");
    return { code: started.child.exitCode, output: started.noise.join("\n") };
  }

  it("build the index, say what differs, and have a flusher mend it", async () => {
    expect(await run("search", "check")).to.deep.include({
      code: 1,
      output: "There is no search index yet: a flusher builds it, or `sluice reindex`.",
    });
    const built = await run("reindex");
    expect(built.code, built.output).to.equal(0);
    expect(built.output).to.include("-messages-000001 is searched now: 3 messages");
    expect((await run("search", "check")).output).to.include("0 missing, 0 stale, 0 extra");

    const key = { ...chat, number: 2 };
    const targets = await stage.indices.targets();
    await stage.writer.write(targets, [{ key, version: 5, document: undefined }]);
    await stage.indices.refresh(targets);
    const { code, output } = await run("search", "check", "--dry-run");
    expect(code).to.equal(1);
    expect(output).to.include("1 missing, 0 stale, 0 extra");
    expect((await run("search", "check")).output).to.include("1 missing");
    const flusher = await startFlusher(stage.workspace.env);
    await waitFor(async () => (await stage.found(chat, "thing")).length === 3, {
      what: "the index to be mended",
      timeoutMs: 60_000,
    });
    await flusher.end("SIGTERM");
  });

  it("are done by a flusher itself where there is no index", async () => {
    await stage.indices.removeAll();
    const flusher = await startFlusher(stage.workspace.env);
    await flusher.logged("the search index is built");
    await flusher.end("SIGTERM");
    expect(await stage.found(chat, "thing")).to.deep.equal([1, 2, 3]);
  });

  it("build the index as a job too, where a person asks for that", async () => {
    const buffer = await openTestBuffer(stage.workspace, "draining");
    const flusher = await startFlusher(stage.workspace.env);
    const before = await stage.indices.targets();
    await buffer.jobs.request("reindex");
    const asked = await waitFor(
      async () => (await buffer.jobs.status("reindex")).runs.find(({ trigger }) => trigger === "request"),
      { what: "the index to be built" },
    );
    expect(asked.outcome).to.equal("done");
    expect(asked.detail).to.match(/is searched now: 3 messages$/);
    await flusher.end("SIGTERM");
    buffer.close();
    expect(await stage.indices.targets()).to.not.deep.equal(before);
    expect(await stage.found(chat, "thing")).to.deep.equal([1, 2, 3]);
  });
});
