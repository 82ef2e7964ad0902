import { expect } from "chai";
import { openRealServices } from "../support/real-services.ts";
import { fastPathRows } from "./seeds/fast-path.ts";
import { otherRows } from "./seeds/others.ts";
import type { Place, Row } from "./seeds/row.ts";
import { anything } from "./seeds/row.ts";
import type { Shell } from "./shell.ts";
import { post, send, startShell } from "./shell.ts";

const seeds = { "the API in front of a fast path": fastPathRows, ...otherRows };

describe("a client of", () => {
  let real: Awaited<ReturnType<typeof openRealServices>>;
  let shell: Shell;
  before(async () => {
    real = await openRealServices();
    shell = await startShell({ services: real.services });
  });
  after(async () => {
    await shell.close();
    await real.close();
  });

  async function furnish(): Promise<Place> {
    const { json } = await post(`${shell.url}/applications`, '{"name":"Shop"}');
    const token = String(json["token"]);
    await post(`${shell.url}/applications/${token}/chats`, "");
    await post(`${shell.url}/applications/${token}/chats/1/messages`, '{"body":"hi"}');
    return { token };
  }

  async function follow({ verb, path, body, status, shows }: Row): Promise<void> {
    const place = await furnish();
    const json = body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    const answer = await send(shell.url + path(place), { method: verb, ...json });
    expect(answer.status, answer.text).to.equal(status);
    if (shows) expectShown(answer.json, shows(place));
  }

  for (const [seed, rows] of Object.entries(seeds)) {
    describe(seed, () => {
      for (const [example, row] of Object.entries(rows)) it(`can ${example}`, () => follow(row));
    });
  }
});

/** An answer may have more members than a README shows, never fewer. */
function expectShown(actual: unknown, shown: unknown, where = "the answer"): void {
  if (shown === anything) {
    expect(actual, where).not.to.equal(undefined);
  } else if (typeof shown === "object" && shown !== null) {
    if (Array.isArray(shown)) expect(actual, where).to.have.length(shown.length);
    for (const [name, value] of Object.entries(shown)) {
      expectShown((actual as Record<string, unknown> | undefined)?.[name], value, `${where}.${name}`);
    }
  } else {
    expect(actual, where).to.equal(shown);
  }
}
