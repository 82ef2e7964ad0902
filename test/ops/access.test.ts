import { networkInterfaces } from "node:os";

import { expect } from "chai";

import { areRight, parseBasic } from "../../src/ops/access/credentials.ts";
import { isFromThisMachine, senderOf } from "../../src/ops/access/origin.ts";
import { Sessions } from "../../src/ops/access/sessions.ts";
import { basic, credentials, OpsStage } from "./stage.ts";

const pages = [
  "",
  "/partitions",
  "/dead-letters",
  "/jobs",
  "/backups",
  "/history",
  "/addresses",
  "/audit",
].map((name) => `/ops${name}`);

describe("The dashboard without credentials", () => {
  let stage: OpsStage;
  before(async () => {
    stage = await OpsStage.open({ HOST: "0.0.0.0" });
  });
  after(() => stage.close());

  it("answers this machine, by any of its own names", async () => {
    for (const page of pages) expect((await stage.get(page)).status, page).to.equal(200);
    for (const host of ["localhost", "LOCALHOST:80", "127.0.0.1:3000", "[::1]:3000", "127.8.8.8"]) {
      expect((await stage.get("/ops", { host })).status, host).to.equal(200);
    }
  });

  it("answers nobody who came by another name, so that no web page can lead a browser here", async () => {
    for (const host of [
      "evil.example",
      "localhost.evil.example",
      "127.0.0.1.evil.example",
      "10.0.0.1",
      "1",
    ]) {
      const { status, text } = await stage.get("/ops", { host });
      expect(status, host).to.equal(403);
      expect(text).to.include("OPS_USERNAME");
    }
  });

  it("answers nobody who came through a proxy, whatever it claims", async () => {
    for (const name of ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via", "X-Forwarded-Host"]) {
      expect((await stage.get("/ops", { [name]: "127.0.0.1" })).status, name).to.equal(403);
    }
    const behind = await OpsStage.open({ TRUSTED_PROXIES: "1" }, stage);
    expect((await behind.get("/ops")).status).to.equal(403);
    await behind.close({ keepData: true });
  });

  it("answers no other machine", async function () {
    const outward = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .find(({ internal, family }) => !internal && family === "IPv4");
    if (!outward) this.skip();
    const { status } = await stage.send("GET", "/ops", { host: "localhost" }, "", outward.address);
    expect(status).to.equal(403);
    expect(isFromThisMachine("10.1.2.3", { host: "localhost" })).to.equal(false);
    expect(isFromThisMachine("::ffff:10.1.2.3", { host: "localhost" })).to.equal(false);
    expect(isFromThisMachine(undefined, { host: "localhost" })).to.equal(false);
    expect(isFromThisMachine("::ffff:127.0.0.1", { host: "localhost" })).to.equal(true);
  });

  it("takes a change only from a page of its own", async () => {
    const cookie = String((await stage.get("/ops")).headers["set-cookie"]?.[0]).split(";", 1)[0] ?? "";
    const form = await stage.formToken({ cookie });
    const pause = (headers: Record<string, string>, token = form) =>
      stage.post("/ops/partitions", { act: "pause", partition: "0", form: token }, { cookie, ...headers });
    expect((await pause({ "sec-fetch-site": "cross-site" })).status).to.equal(403);
    expect((await pause({}, "guess")).status).to.equal(403);
    expect((await stage.post("/ops/partitions", { act: "pause", partition: "0" })).status).to.equal(403);
    expect(await stage.buffer.pauses.isPaused(0)).to.equal(false);
    expect((await pause({})).status).to.equal(303);
    expect(await stage.buffer.pauses.isPaused(0)).to.equal(true);
  });
});

describe("The dashboard with credentials", () => {
  let stage: OpsStage;
  before(async () => {
    stage = await OpsStage.open({ ...credentials, TRUSTED_PROXIES: "1" });
  });
  after(() => stage.close());

  it("shows nobody anything who has not signed in, on this machine as elsewhere", async () => {
    for (const path of [...pages, "/ops/status", "/ops/events", "/ops/history.json", "/ops/dead-letters/x"]) {
      const { status, text, headers } = await stage.get(path);
      expect(status, path).to.equal(401);
      expect(text).to.include('action="/ops/sign-in"').and.not.include("data-live");
      expect(headers["www-authenticate"]).to.match(/^Form /);
    }
    const program = await stage.send("GET", "/ops/status", { accept: "application/json" });
    expect([program.status, program.headers["www-authenticate"]]).to.deep.equal([
      401,
      'Basic realm="Sluice operators", charset="UTF-8"',
    ]);
    expect((await stage.post("/ops/partitions", { act: "pause", partition: "0" })).status).to.equal(401);
    expect(await stage.buffer.pauses.isPaused(0)).to.equal(false);
  });

  it("lets in who signs in, with a cookie that no script and no other site gets", async () => {
    const fields = { username: "operator", password: "right horse", to: "/ops/audit?page=2" };
    const { status, headers } = await stage.post("/ops/sign-in", fields);
    expect([status, headers.location]).to.deep.equal([303, "/ops/audit?page=2"]);
    const [cookie = ""] = headers["set-cookie"] ?? [];
    expect(cookie).to.match(/^sluice-ops=[\w.-]+; path=\/; samesite=strict; httponly$/);
    const secure = await stage.post("/ops/sign-in", fields, { "x-forwarded-proto": "https" });
    expect(secure.headers["set-cookie"]?.[0]).to.match(/^__Host-sluice-ops=.*; secure; httponly$/);
    expect((await stage.get("/ops", { cookie: cookie.split(";", 1)[0] ?? "" })).status).to.equal(200);
  });

  it("leads to no other site after signing in", async () => {
    const to = ["https://evil.example", "//evil.example", "/ops//evil", "/ops/\\evil", "/opsevil", "/", ""];
    for (const address of to) {
      const fields = { username: "operator", password: "right horse", to: address };
      const { headers } = await stage.post("/ops/sign-in", fields);
      expect(headers.location, address).to.match(/^\/ops(\/\/evil)?$/);
    }
  });

  it("knows a session in another process, also while Redis is away, and no forged or old one", async () => {
    const cookie = await stage.signIn();
    const other = await OpsStage.open({ ...credentials }, stage);
    other.buffer.close();
    const page = await other.get("/ops", { cookie });
    expect(page.status).to.equal(200);
    expect(page.text).to.include("redis does not answer");
    await other.close({ keepData: true });
    const forged = [
      cookie.replace(/.$/, "!"),
      cookie.slice(0, -4),
      `${cookie}x`,
      "sluice-ops=",
      "sluice-ops=a.b.c",
    ];
    for (const one of forged) expect((await stage.get("/ops", { cookie: one })).status, one).to.equal(401);
    const sessions = new Sessions({ username: "a", password: "b" });
    const ticket = sessions.issue(0);
    expect(sessions.isValid(ticket, 11 * 3_600_000)).to.equal(true);
    expect(sessions.isValid(ticket, 12 * 3_600_000)).to.equal(false);
    expect(new Sessions({ username: "a", password: "c" }).isValid(ticket, 0)).to.equal(false);
    expect(sessions.isValid(ticket.replace(/^\w+/, "zzzzzzzz"), 0)).to.equal(false);
  });

  it("takes name and password with a request, and refuses what is nearly right", async () => {
    expect((await stage.get("/ops/status", { authorization: basic })).status).to.equal(200);
    const nearly = ["operator:right hors", "operator:right horsee", "Operator:right horse", "operator", ":"];
    for (const text of nearly) {
      const authorization = `Basic ${globalThis.Buffer.from(text).toString("base64")}`;
      const headers = { authorization, "x-forwarded-for": "198.51.100.7" };
      expect((await stage.get("/ops/status", headers)).status, text).to.equal(401);
    }
    expect(parseBasic("Bearer abc")).to.equal(undefined);
    expect(areRight({ username: "a", password: "b" }, { username: "a", password: "b" })).to.equal(true);
  });

  it("takes no more guesses from an address after ten, right or not, and others still get in", async () => {
    const guess = (password: string, address: string) =>
      stage.post("/ops/sign-in", { username: "operator", password }, { "x-forwarded-for": address });
    const guesses = Array.from({ length: 15 }, () => guess("wrong", "203.0.113.5"));
    const statuses = (await Promise.all(guesses)).map(({ status }) => status).sort();
    expect(statuses).to.deep.equal([...Array<number>(10).fill(401), ...Array<number>(5).fill(429)]);
    const late = await guess("right horse", "203.0.113.5");
    expect([late.status, Number(late.headers["retry-after"]) > 800]).to.deep.equal([429, true]);
    expect((await guess("right horse", "203.0.113.6")).status).to.equal(303);
    for (let count = 0; count < 15; count += 1) {
      expect((await guess("right horse", "203.0.113.6")).status).to.equal(303);
    }
  });

  it("counts guesses in memory while Redis is away", async () => {
    const other = await OpsStage.open({ ...credentials }, stage);
    other.buffer.close();
    const wrong = () => other.post("/ops/sign-in", { username: "operator", password: "wrong" });
    for (let count = 0; count < 10; count += 1) expect((await wrong()).status).to.equal(401);
    expect((await wrong()).status).to.equal(429);
    await other.close({ keepData: true });
  });

  it("takes a change from a page of its own or a program with the password, and from nowhere else", async () => {
    const cookie = await stage.signIn();
    const form = await stage.formToken({ cookie });
    const pause = (headers: Record<string, string>, token = form) =>
      stage.post("/ops/partitions", { act: "pause", partition: "0", form: token }, headers);
    const refused: [string, Record<string, string>, string?][] = [
      ["another site", { cookie, "sec-fetch-site": "cross-site" }],
      ["a sibling site", { cookie, "sec-fetch-site": "same-site" }],
      ["an address typed in", { cookie, "sec-fetch-site": "none" }],
      ["another origin", { cookie, "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
      ["a form without its proof", { cookie }, ""],
      ["another session's proof", { cookie: await stage.signIn() }],
      ["a browser that adds the password by itself", { authorization: basic }, ""],
    ];
    for (const [what, headers, token] of refused) {
      expect((await pause(headers, token)).status, what).to.equal(403);
    }
    expect(senderOf({ origin: "https://evil.example" }, "127.0.0.1")).to.equal("elsewhere");
    expect(senderOf({ origin: "null" }, "127.0.0.1")).to.equal("elsewhere");
    expect(senderOf({ origin: "http://here:1" }, "here:1")).to.equal("own-page");
    expect(await stage.buffer.pauses.isPaused(0)).to.equal(false);
    expect((await pause({ cookie })).status).to.equal(303);
    expect((await stage.act("/ops/partitions", { act: "resume", partition: "0" })).status).to.equal(303);
    expect(await stage.audit()).to.deep.equal([
      "operator: resume partition 0: done",
      "operator: pause partition 0: done",
    ]);
  });

  it("signs out", async () => {
    const { status, headers } = await stage.post("/ops/sign-out", {}, { cookie: await stage.signIn() });
    expect(status).to.equal(303);
    expect(headers["set-cookie"]?.[0]).to.match(/^sluice-ops=; .*expires=Thu, 01 Jan 1970/);
  });

  it("forbids scripts in pages, frames and other sites, and is kept nowhere", async () => {
    const { headers } = await stage.get("/ops", { authorization: basic });
    expect(headers["content-security-policy"]).to.include("default-src 'none'; script-src 'self'");
    expect(headers["content-security-policy"]).to.include("frame-ancestors 'none'").and.not.include("unsafe");
    expect(headers["cache-control"]).to.equal("no-store");
    expect(headers["x-content-type-options"]).to.equal("nosniff");
  });
});

describe("A dashboard that only shows", () => {
  it("refuses every change and offers none", async () => {
    const stage = await OpsStage.open({ ...credentials, OPS_READ_ONLY: "true" });
    try {
      const id = await stage.bury("application", "text");
      const changes: [string, Record<string, string>][] = [
        ["/ops/partitions", { act: "pause", partition: "0" }],
        ["/ops/partitions", { act: "flush-all" }],
        ["/ops/dead-letters", { act: "requeue", id }],
        ["/ops/dead-letters", { act: "discard", id, confirmed: "yes" }],
        [`/ops/dead-letters/${encodeURIComponent(id)}`, { seen: "", text: "x" }],
        ["/ops/addresses", { address: "192.0.2.1" }],
        ["/ops/jobs", { job: "backup" }],
        ["/ops/backups", { verify: "dump" }],
      ];
      for (const [path, fields] of changes) expect((await stage.act(path, fields)).status).to.equal(403);
      expect(await stage.buffer.pauses.isPaused(0)).to.equal(false);
      const { buffer } = stage;
      const partitions = Array.from({ length: buffer.partitions }, (_, partition) => partition);
      const letters = await Promise.all(
        partitions.map((partition) => buffer.deadLetters.oldestIds(partition, 10)),
      );
      expect(letters.flat()).to.deep.equal([id]);
      for (const page of [...pages, `/ops/dead-letters/${encodeURIComponent(id)}`]) {
        const { text } = await stage.get(page, { cookie: await stage.signIn() });
        const forms = [...text.matchAll(/<form method="post" action="([^"]+)"/g)].map(([, action]) => action);
        expect(
          forms.filter((action) => action !== "/ops/sign-out" && action !== "/ops/dead-letters"),
        ).to.deep.equal([]);
        expect(text).to.not.include('name="act"');
      }
    } finally {
      await stage.close();
    }
  });
});
