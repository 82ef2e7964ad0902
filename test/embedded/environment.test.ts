import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { withDotenv } from "../../embedded/dotenv.mjs";
import { addressOf } from "../../embedded/first-steps.mjs";
import { requireNode } from "../../embedded/project.mjs";
import { scratchDirectory } from "./scratch.ts";

describe("the environment of npm start", () => {
  it("takes from .env only what is not set", () => {
    const file = path.join(scratchDirectory(), ".env");
    writeFileSync(file, "PORT=3000 # where\nHOST=127.0.0.1\nREDIS_URL=redis://elsewhere\n");
    expect(withDotenv(file, { PORT: "4000", REDIS_URL: "" })).to.deep.equal({
      PORT: "4000",
      HOST: "127.0.0.1",
      REDIS_URL: "",
    });
  });

  it("takes all of an .env that begins with a byte order mark", () => {
    const file = path.join(scratchDirectory(), ".env");
    writeFileSync(file, "\uFEFFPORT=3000\nHOST=127.0.0.1\n");
    expect(withDotenv(file, {})).to.deep.equal({ PORT: "3000", HOST: "127.0.0.1" });
  });

  it("needs no .env", () => {
    expect(withDotenv(path.join(scratchDirectory(), ".env"), { PORT: "1" })).to.deep.equal({ PORT: "1" });
  });

  it("gives an address that works on this machine", () => {
    expect(addressOf({})).to.equal("http://127.0.0.1:3000");
    expect(addressOf({ HOST: "0.0.0.0", PORT: "80" })).to.equal("http://127.0.0.1:80");
    expect(addressOf({ HOST: "::", PORT: "" })).to.equal("http://[::1]:3000");
  });

  it("needs a Node that is new enough", () => {
    for (const old of ["18.20.4", "20.9.0", "20.18.3"]) {
      expect(() => {
        requireNode(old);
      }).to.throw(`or newer is needed, this is ${old}`);
    }
    for (const fit of ["20.19.0", "22.0.0", "24.1.0"]) requireNode(fit);
  });
});
