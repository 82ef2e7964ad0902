import { spawnSync } from "node:child_process";
import { expect } from "chai";
import { Metrics, createLogger } from "../../src/telemetry.ts";
import { post, send, startShell, token } from "./shell.ts";

describe("the log", () => {
  const written = (log: (logger: ReturnType<typeof createLogger>) => void): string => {
    let text = "";
    log(createLogger({ level: "info", destination: { write: (line) => (text += line) } }));
    return text;
  };

  it("is whole when its process has ended, be it by itself or by a fault, and its errors are there at once", () => {
    const lines = (ending: string): string[] => {
      const program = `import { createLogger } from "./src/telemetry.ts";
        import { writeSync } from "node:fs";
        const logger = createLogger({ level: "info", pretty: false });
        logger.info("first");
        logger.error("second");
        writeSync(1, "third\\n");
        logger.info("fourth");
        ${ending}`;
      const args = ["--import=tsx", "--input-type=module", "--eval", program];
      const { stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
      return stdout.split("\n").map((line) => /first|second|third|fourth/.exec(line)?.[0] ?? line);
    };
    for (const ending of ["", "process.exit(0)", "throw new Error('broken')"]) {
      expect(lines(ending), ending).to.deep.equal(["first", "second", "third", "fourth", ""]);
    }
  });

  it("never holds a token, a body or a raw path", async () => {
    const shell = await startShell({
      services: { change: { createApplication: () => Promise.reject(new Error("broken")) } },
    });
    try {
      const message = await post(
        `${shell.url}/applications/${token}/chats/2/messages?x=${token}`,
        '{"body":"privacy"}',
      );
      expect(message.status).to.equal(201);
      await send(`${shell.url}/applications/${token}/nothing`);
      await post(`${shell.url}/applications`, '{"name":"privacy"}');
      await post(`${shell.url}/applications`, '{"name":"privacy');
      const text = JSON.stringify(shell.log);
      expect(text).to.contain("/applications/:token/chats/:number/messages");
      expect(text).not.to.contain(token).and.not.contain("privacy");
      expect(shell.log[0]?.["application"]).to.match(/^[0-9a-f]{8}$/);
    } finally {
      await shell.close();
    }
  });

  it("has probes at debug level only", async () => {
    const shell = await startShell();
    try {
      await send(`${shell.url}/livez`);
      expect(shell.log.map((line) => line.level)).to.deep.equal(["debug"]);
    } finally {
      await shell.close();
    }
  });

  it("takes out what is secret wherever an object has it", () => {
    const text = written((logger) => {
      logger.info({ token: "s1", chat: { body: "s2", author: { password: "s3" } }, payload: "s4" }, "x");
    });
    expect(text).to.contain("[redacted]").and.not.match(/s\d/);
  });

  it("shows what Redis answered, its first word as the code, and none of the arguments", () => {
    const reply = (message: string) =>
      Object.assign(new Error(message), {
        name: "ReplyError",
        command: { name: "evalsha", args: ["secret"] },
      });
    const lines = written((logger) => {
      logger.error({ err: reply("MISCONF Redis is configured to save RDB snapshots") }, "refused");
      logger.error({ err: reply("ERR unknown command 'x', with args beginning with: 'secret' ") }, "refused");
    });
    const errors = lines
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { err: { code: string; message: string } }).err);
    expect(errors.map(({ code, message }) => ({ code, message }))).to.deep.equal([
      { code: "MISCONF", message: "MISCONF Redis is configured to save RDB snapshots" },
      { code: "ERR", message: "ERR unknown command 'x'" },
    ]);
  });

  it("shows an error's name, code, place and causes, and nothing a driver hung on it", () => {
    const driver = Object.assign(new Error("insert into messages values ('secret')"), {
      code: "ER_DUP_ENTRY",
      sql: "secret",
    });
    const text = written((logger) => {
      logger.error({ err: new Error("flush failed", { cause: driver }) }, "x");
    });
    expect(text).not.to.contain("secret");
    const { err } = JSON.parse(text) as { err: { message: string; stack: string; cause: { code: string } } };
    expect(err.message).to.equal("flush failed");
    expect(err.stack).to.contain("telemetry.test.ts");
    expect(err.cause.code).to.equal("ER_DUP_ENTRY");
  });
});

describe("the metrics", () => {
  it("hold what each part registers, gauges read when asked", async () => {
    const metrics = new Metrics();
    metrics.counter({ name: "sluice_a_total", help: "A.", labels: ["list"] }).inc({ list: "chats" }, 2);
    let pending = 1;
    metrics.gauge({
      name: "sluice_b",
      help: "B.",
      collect: (gauge) => {
        gauge.set(pending);
      },
    });
    metrics.histogram({ name: "sluice_c_seconds", help: "C.", buckets: [1] }).observe(0.5);
    pending = 5;
    const text = await metrics.text();
    expect(text).to.contain('sluice_a_total{list="chats"} 2');
    expect(text).to.contain("\nsluice_b 5\n");
    expect(text).to.contain('sluice_c_seconds_bucket{le="1"} 1');
    expect(text).to.contain("nodejs_eventloop_lag_seconds");
  });
});
