import { expect } from "chai";

import type { Buffer as RecordBuffer } from "../../src/buffer/buffer.ts";
import { openTestBuffer, seed, takeLease } from "../support/buffers.ts";
import { operationIdOf, requestOf } from "../support/requests.ts";
import { runCommand } from "../support/sluice-command.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";

/** Tokens may begin with what begins an option: the first with that of help. */
const tokens = ["-h4kzPxQ2mD8vR1nT5wYaB", "--json_zPxQ2mD8vR1nT5w", "_kzPxQ2mD8vR1nT5wYaBcd"];

describe("The command for dead letters", () => {
  let workspace: Workspace;
  let buffer: RecordBuffer;
  let ids: readonly string[];

  beforeEach(async () => {
    workspace = await openWorkspace();
    buffer = await openTestBuffer(workspace, "draining");
    for (const [nth, token] of tokens.entries()) {
      await seed(buffer, { token }, 0);
      await buffer.accepting.accept({ token }, requestOf(operationIdOf(nth), "refused"));
    }
    const batch = await buffer.batches.peek(0, "chats", 0, { maxRows: 10, maxBytes: 1e6 });
    const deaths = new Map(
      batch.entries.map((entry) => [entry, { kind: "refused" as const, reason: "ER_DATA_TOO_LONG" }]),
    );
    await buffer.batches.acknowledge(await takeLease(buffer), batch, deaths, new Map());
    ids = await buffer.deadLetters.oldestIds(0, 10);
  });

  afterEach(async () => {
    buffer.close();
    await workspace.close();
  });

  const run = (...args: string[]) => runCommand(["dead-letters", ...args], workspace.env);

  it("lists, tries again and throws away also what looks like an option", async () => {
    expect(ids).to.have.length(tokens.length);
    const listed = await run();
    expect(listed.lines.map((line) => line.split("  ")[1])).to.have.members([...ids]);
    for (const [nth, id] of ids.entries()) {
      const { code, lines } = await run(nth === 0 ? "requeue" : "discard", id);
      expect({ code, lines }).to.deep.equal({
        code: 0,
        lines: [nth === 0 ? "It will be tried with the next flush." : "It is gone; its number stays given."],
      });
    }
    expect(await buffer.deadLetters.oldestIds(0, 10)).to.deep.equal([]);
  });

  it("says so where there is no such one, and still explains itself", async () => {
    const { code, lines } = await run("discard", "--hlep");
    expect({ code, lines }).to.deep.equal({ code: 1, lines: ["There is no dead letter --hlep."] });
    expect((await run("discard", "--help")).lines[0]).to.match(/^Usage: sluice dead-letters discard/);
  });
});
