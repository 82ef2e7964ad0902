import { expect } from "chai";
import { createRateLimit } from "../../src/http/middleware/rate-limit.ts";
import { clientKey } from "../../src/client-address.ts";
import { createLogger } from "../../src/telemetry.ts";
import { msOf } from "../support/under-a-second.ts";
import { startRedis } from "./redis.ts";
import type { TestRedis } from "./redis.ts";
import { send, startShell } from "./shell.ts";
import type { Shell, ShellOptions } from "./shell.ts";

/** A wait for a Redis that does not answer is over by then, be the machine ever so busy. */
const promptMs = 5000;

describe("the rate limit", () => {
  let redis: TestRedis;
  let log: string[];
  const shells: Shell[] = [];
  beforeEach(async () => {
    redis = await startRedis();
    log = [];
    blocked = [];
  });
  afterEach(async () => {
    await Promise.all(shells.splice(0).map((shell) => shell.close()));
    await redis.stop();
  });

  let blocked: string[];

  async function limited(requestsPerMinute: number, options: ShellOptions = {}): Promise<Shell> {
    const logger = createLogger({ level: "info", destination: { write: (line) => log.push(line) } });
    const connection = await redis.connect();
    const { middleware: rateLimit } = createRateLimit({
      redis: connection,
      namespace: "mine",
      requestsPerMinute,
      logger,
      onBlocked: (address) => blocked.push(address),
    });
    const shell = await startShell({ ...options, rateLimit });
    shells.push(shell);
    return shell;
  }

  const from = (shell: Shell, addresses: string, path = "/applications") =>
    send(shell.url + path, { headers: { "x-forwarded-for": addresses } });

  it("counts down in every header and then answers 429", async () => {
    const shell = await limited(2);
    const first = await send(`${shell.url}/applications`);
    expect(first.status).to.equal(200);
    expect(first.headers.get("ratelimit-policy")).to.equal('"ip";q=2;w=60');
    expect(first.headers.get("ratelimit")).to.match(/^"ip";r=1;t=(60|59)$/);
    expect(first.headers.get("x-ratelimit-limit")).to.equal("2");
    expect(first.headers.get("x-ratelimit-remaining")).to.equal("1");
    expect(Number(first.headers.get("x-ratelimit-reset")) - Date.now() / 1000).to.be.within(50, 61);

    expect((await send(`${shell.url}/nothing`)).headers.get("ratelimit")).to.match(/r=0/);
    for (let turn = 0; turn < 2; turn += 1) {
      const refused = await send(`${shell.url}/applications`);
      expect(refused.status).to.equal(429);
      expect(refused.headers.get("retry-after")).to.match(/^\d+$/);
      expect(Number(refused.headers.get("retry-after"))).to.be.within(50, 60);
      expect(refused.headers.get("ratelimit")).to.match(/^"ip";r=0;t=\d+$/);
      expect(refused.json).to.include({ code: "rate_limited", status: 429 });
    }
    expect(blocked).to.deep.equal(["127.0.0.1"]);
  });

  it("counts for all processes together", async () => {
    const [one, other] = [await limited(2), await limited(2)];
    await send(`${one.url}/applications`);
    await send(`${other.url}/applications`);
    expect((await send(`${one.url}/applications`)).status).to.equal(429);
    expect((await send(`${other.url}/applications`)).status).to.equal(429);
  });

  it("lets through exactly as many as it says of what comes to two processes at once, each told its place", async () => {
    const shells = [await limited(50), await limited(50)];
    const sending = Array.from({ length: 80 }, (_, nth) => send(`${shells[nth % 2]?.url}/applications`));
    const answers = await Promise.all(sending);
    const left = answers
      .filter(({ status }) => status === 200)
      .map(({ headers }) => Number(headers.get("x-ratelimit-remaining")));
    expect(left.sort((a, b) => b - a)).to.deep.equal(Array.from({ length: 50 }, (_, nth) => 49 - nth));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).to.have.length(30);
    for (const { headers } of refused) expect(headers.get("x-ratelimit-remaining")).to.equal("0");
  });

  it("asks Redis for few of the requests of a busy address, and lets none through too many", async () => {
    const [one, other] = [await limited(320), await limited(320)];
    const client = await redis.connect();
    const counted = async () =>
      Number(/cmdstat_incrby:calls=(\d+)/.exec(await client.info("commandstats"))?.[1] ?? 0);
    const through = async ({ url }: Shell, requests: number) => {
      const statuses: number[] = [];
      for (let nth = 0; nth < requests; nth += 1) statuses.push((await send(`${url}/applications`)).status);
      return statuses.filter((status) => status === 200).length;
    };
    const before = await counted();
    expect(await through(one, 150)).to.equal(150);
    expect((await counted()) - before).to.be.below(75);
    expect(150 + (await through(other, 200))).to.be.within(315, 320);
  });

  it("spares probes and metrics", async () => {
    const shell = await limited(1);
    for (const path of ["/livez", "/readyz", "/healthz/", "/METRICS", "/api/v1/livez"]) {
      const { status, headers } = await send(shell.url + path);
      expect(status, path).to.equal(200);
      expect(headers.has("ratelimit")).to.equal(false);
    }
    expect((await send(`${shell.url}/applications`)).status).to.equal(200);
  });

  it("of 0 limits nothing", async () => {
    const shell = await limited(0);
    expect((await send(`${shell.url}/applications`)).headers.has("ratelimit")).to.equal(false);
  });

  it("believes no forwarded address unless proxies are trusted", async () => {
    const shell = await limited(1);
    expect((await from(shell, "192.0.2.1")).status).to.equal(200);
    expect((await from(shell, "192.0.2.2")).status).to.equal(429);
  });

  it("believes as many forwarded addresses as proxies are trusted", async () => {
    const shell = await limited(1, { trustedProxies: 1 });
    expect((await from(shell, "198.51.100.1, 192.0.2.1")).status).to.equal(200);
    expect((await from(shell, "198.51.100.2, 192.0.2.1")).status).to.equal(429);
    expect((await from(shell, "192.0.2.2")).status).to.equal(200);
    const two = await limited(1, { trustedProxies: 2 });
    expect((await from(two, "203.0.113.9, 192.0.2.3, 192.0.2.4")).status).to.equal(200);
    expect((await from(two, "203.0.113.8, 192.0.2.3, 192.0.2.5")).status).to.equal(429);
  });

  it("takes a forwarded word that is no address for the connection's own", async () => {
    const shell = await limited(1, { trustedProxies: 1 });
    expect((await from(shell, "unknown")).status).to.equal(200);
    expect((await from(shell, "_hidden")).status).to.equal(429);
  });

  it("takes a /64 network for one client, and a mapped IPv4 address for itself", () => {
    const same = ["2001:db8:1:2::1", "2001:DB8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2:3:4:5:6"];
    expect(new Set(same.map(clientKey))).to.deep.equal(new Set(["2001:db8:1:2::/64"]));
    expect(clientKey("2001:db8:1:3::1")).to.equal("2001:db8:1:3::/64");
    expect(clientKey("2001:db8::1:0:0:1")).to.equal("2001:db8:0:0::/64");
    expect(clientKey("::1")).to.equal("0:0:0:0::/64");
    expect(clientKey("fe80::1%eth0")).to.equal("fe80:0:0:0::/64");
    expect(clientKey("::ffff:192.0.2.1")).to.equal("192.0.2.1");
    expect(clientKey("::FFFF:c000:201")).to.equal("192.0.2.1");
    expect(clientKey("192.0.2.1")).to.equal("192.0.2.1");
    expect(clientKey("192.0.2.1:65535")).to.equal("192.0.2.1");
    expect(clientKey("[2001:db8:1:2::1]:443")).to.equal("2001:db8:1:2::/64");
    expect(clientKey("[2001:db8:1:2::1]")).to.equal("2001:db8:1:2::/64");
    expect(clientKey("[::ffff:192.0.2.1]:80")).to.equal("192.0.2.1");
    for (const odd of ["", "unknown", "192.0.2.1:", ":80", "[]", "[1.2.3]:80", "1.2.3", "::g"]) {
      expect(clientKey(odd)).to.equal(undefined);
    }
  });

  it("keys Redis by address within the namespace and lets the key expire", async () => {
    const shell = await limited(5);
    await send(`${shell.url}/applications`);
    const client = await redis.connect();
    expect(await client.get("mine:rate:127.0.0.1")).to.equal("1");
    expect(await client.pttl("mine:rate:127.0.0.1")).to.be.within(1, 60_000);
  });

  it("limits in memory while Redis is gone, at once, and says so once", async () => {
    const shell = await limited(2);
    redis.cut();
    const statuses: number[] = [];
    const ms = await msOf(async () => {
      for (let turn = 0; turn < 3; turn += 1) statuses.push((await send(`${shell.url}/applications`)).status);
    });
    expect(statuses).to.deep.equal([200, 200, 429]);
    expect(ms).to.be.below(promptMs);
    expect(log.filter((line) => line.includes('"warn"'))).to.have.length(1);
    expect(blocked).to.deep.equal([]);
  });

  it("waits no longer than a quarter of a second for a Redis that hangs, and returns to it", async () => {
    const shell = await limited(1000);
    await send(`${shell.url}/applications`);
    redis.freeze();
    const ms = await msOf(async () => {
      expect((await send(`${shell.url}/applications`)).status).to.equal(200);
    });
    expect(ms).to.be.within(200, promptMs);
    redis.thaw();
    while (!log.at(-1)?.includes("shared again")) {
      expect((await send(`${shell.url}/applications`)).status).to.equal(200);
    }
  });
});
