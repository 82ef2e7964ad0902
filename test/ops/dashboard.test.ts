import { expect } from "chai";
import type { Browser, BrowserContext, Page } from "playwright-core";

import { Keys } from "../../src/buffer/keys.ts";
import { dateRecord } from "../support/dated.ts";
import { startApi, startFlusher, type SluiceProcess } from "../support/sluice-process.ts";
import { waitFor } from "../support/wait-for.ts";
import { openWorkspace, type Workspace } from "../support/workspace.ts";
import { findChromium, isTooWide, keepScreenshot, launch, openWatched, type Watched } from "./browser.ts";
import { credentials } from "./stage.ts";

const hostile = `<script>alert('1')</script><img src=x onerror="alert(2)"> </textarea><b>`;
const executable = findChromium();

(executable === undefined ? describe.skip : describe)("The dashboard in a browser", function () {
  this.timeout(180_000);
  let workspace: Workspace;
  let processes: SluiceProcess[] = [];
  let url: string;
  let chats: string;
  let browser: Browser;
  let context: BrowserContext;
  let watched: Watched;
  let page: Page;
  let deadNumber: number;
  /** The one that the application lies in. */
  let partition: number;

  before(async () => {
    workspace = await openWorkspace({
      ...credentials,
      MESSAGE_QUEUE_THRESHOLD: "1",
      CHAT_QUEUE_THRESHOLD: "1",
    });
    const [api, flusher, opened] = await Promise.all([
      startApi(workspace.env),
      startFlusher(workspace.env),
      launch(executable ?? ""),
    ]);
    processes = [flusher, api.process];
    url = api.url;
    browser = opened;
    context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: "light" });
    watched = await openWatched(context);
    page = watched.page;
    const { token } = (await post(`${url}/applications`, { name: "browser" })) as { token: string };
    chats = `${url}/applications/${token}/chats`;
    const { namespace, partitions } = workspace.config.redis;
    partition = new Keys(namespace, partitions).partitionOf(token);
    await post(chats, {});
  });

  after(async () => {
    await browser.close();
    for (const one of processes) await one.end("SIGTERM");
    await workspace.close();
  });

  async function post(address: string, body: object): Promise<unknown> {
    const headers = { "content-type": "application/json" };
    return (await fetch(address, { method: "POST", headers, body: JSON.stringify(body) })).json();
  }
  const postMessage = async (body: string) =>
    ((await post(`${chats}/1/messages`, { body })) as { number: number }).number;
  const live = (name: string) => page.locator(`[data-live="${name}"]`).first();
  const untilLive = (name: string, text: string) =>
    waitFor(async () => (await live(name).textContent()) === text, {
      what: `${name} to be ${text}`,
    });
  const rowOfPartition = () =>
    page
      .getByRole("row")
      .filter({ has: page.getByRole("rowheader", { name: String(partition), exact: true }) });
  const rowOf = (number: number) =>
    workspace.sql("messages").where({ chat_number: 1, number }).first<{ body: string }>();

  it("asks to sign in, by keyboard alone, and says when that was wrong", async () => {
    await page.goto(`${url}/ops/partitions`);
    await keepScreenshot(page, "sign-in");
    await page.keyboard.type("operator");
    await page.keyboard.press("Tab");
    await page.keyboard.type("wrong");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    await page.keyboard.type("operator");
    await page.keyboard.press("Tab");
    await page.keyboard.type("right horse");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Partitions" }).waitFor();
    expect(new URL(page.url()).pathname).to.equal("/ops/partitions");
    // The console tells of each 401.
    const others = watched.complaints.splice(0).filter((text) => !text.includes("401 (Unauthorized)"));
    expect(others).to.deep.equal([]);
  });

  it("shows numbers that change during a load, without being loaded anew", async () => {
    await page.goto(`${url}/ops`);
    await page.locator("#live", { hasText: /^live$/ }).waitFor();
    await page.evaluate("window.isStillTheSame = true");
    const before = await live("acceptedMessages").textContent();
    for (let count = 0; count < 40; count += 1) await postMessage(`message ${count}`);
    await untilLive("acceptedMessages", String(Number(before) + 40));
    // A rate is what has come since a point some seconds ago: only a load that goes on is sure to be seen.
    const seen = async () => {
      await postMessage("and on");
      return Number(await live("acceptedPerSecond").textContent()) > 0;
    };
    await waitFor(seen, { what: "the rate to be seen" });
    await page
      .locator('[data-live-rows="flushes"] tr td:nth-child(4)', { hasText: "threshold" })
      .first()
      .waitFor();
    await page.locator('[data-history][data-drawn="yes"] canvas').first().waitFor();
    expect(await page.evaluate("window.isStillTheSame")).to.equal(true);
    await keepScreenshot(page, "overview");
  });

  it("pauses a partition, so that everybody sees it, and resumes it", async () => {
    await page.goto(`${url}/ops/partitions`);
    await rowOfPartition().getByRole("button", { name: "Pause" }).click();
    await page.getByText(`Partition ${partition} is paused; the batch in hand is finished first.`).waitFor();
    await page.locator("#verdict", { hasText: "PAUSED" }).waitFor();
    deadNumber = await postMessage(hostile);
    await untilLive(`p${partition}.messages`, "1");
    await keepScreenshot(page, "partitions-paused");
    await makeRefused(deadNumber);
    await rowOfPartition().getByRole("button", { name: "Resume" }).click();
    await page.getByText(`Partition ${partition} goes on.`).waitFor();
    await untilLive(`p${partition}.messages`, "0");
    await untilLive(`p${partition}.dead`, "1");
  });

  it("shows a hostile text as text, also where it is edited", async () => {
    await page.goto(`${url}/ops`);
    await page.locator("#verdict", { hasText: "1 dead letter" }).waitFor();
    await page.locator("#verdict").getByRole("link", { name: "Dead letters" }).click();
    await page.getByRole("cell", { name: "<script>" }).waitFor();
    await page.getByRole("link", { name: `message ${deadNumber} of chat 1` }).click();
    expect(await page.locator("pre").textContent()).to.equal(hostile);
    expect(await page.locator("textarea").inputValue()).to.equal(hostile);
    await keepScreenshot(page, "dead-letter");
  });

  it("requeues a dead letter that then lands", async () => {
    await makeWritable(deadNumber);
    await page.goto(`${url}/ops/dead-letters?partition=${partition}&q=script`);
    await page.getByLabel("Choose all on this page").focus();
    await page.keyboard.press("Space");
    await keepScreenshot(page, "dead-letters");
    await page.getByRole("button", { name: "Requeue chosen" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("1 dead letter will be tried with the next flush.").waitFor();
    const row = await waitFor(() => rowOf(deadNumber), { what: "the requeued record in MySQL" });
    expect(row.body).to.equal(hostile);
    expect(new URL(page.url()).searchParams.get("q")).to.equal("script");
  });

  it("leads by keyboard to the content, and through the pages", async () => {
    await page.goto(`${url}/ops/audit`);
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).to.equal("To the content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.id")).to.equal("main");
    await page.getByRole("link", { name: "History", exact: true }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "History" }).waitFor();
  });

  for (const [colorScheme, width] of [
    ["dark", 360],
    ["light", 360],
    ["dark", 1280],
  ] as const) {
    it(`fits a window of ${width} pixels on ${colorScheme} ground`, async () => {
      await page.setViewportSize({ width, height: 800 });
      await page.emulateMedia({ colorScheme });
      for (const name of [
        "",
        "/partitions",
        "/dead-letters",
        "/jobs",
        "/backups",
        "/history",
        "/addresses",
        "/audit",
      ]) {
        await page.goto(`${url}/ops${name}`);
        await page.locator("h1").waitFor();
        if (["", "/history"].includes(name)) await page.locator('[data-history][data-drawn="yes"]').waitFor();
        expect(await isTooWide(page), name).to.equal(false);
        const [ground = 0] = await page.evaluate<number[]>(
          "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)",
        );
        expect(ground < 128).to.equal(colorScheme === "dark");
        await keepScreenshot(page, `${name.slice(1) || "overview"}-${colorScheme}-${width}`);
      }
    });
  }

  it("can be read without scripts", async () => {
    const plain = await browser.newContext({
      javaScriptEnabled: false,
      storageState: await context.storageState(),
    });
    const silent = await plain.newPage();
    await silent.goto(`${url}/ops`);
    expect(await silent.locator('[data-live="acceptedMessages"]').textContent()).to.match(/^\d+$/);
    expect(await silent.locator('[data-live-rows="flushes"] tr').count()).to.be.above(1);
    await silent.goto(`${url}/ops/history`);
    expect(await silent.locator("tbody tr").count()).to.be.above(0);
    await plain.close();
  });

  it("asked no other host, breached no policy and ran no script of others, on any page", () => {
    expect([...watched.hosts]).to.deep.equal([new URL(url).host]);
    expect(watched.complaints).to.deep.equal([]);
  });

  it("signs out", async () => {
    await page.goto(`${url}/ops`);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sluice operators" }).waitFor();
  });

  const makeRefused = (number: number) => changeTime("pending", number, Date.UTC(20_000, 0, 1));
  const makeWritable = (number: number) => changeTime("dead", number, Date.now());

  /** Gives a record a time that no row can have, or one that it can. */
  async function changeTime(hash: "pending" | "dead", number: number, atMs: number): Promise<void> {
    const token = chats.split("/").at(-2) ?? "";
    const key = `${workspace.config.redis.namespace}:{${partition}}:${hash}:${token}:1`;
    await dateRecord(workspace.redis, key, number, atMs);
  }
});
