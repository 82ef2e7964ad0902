import { readFileSync } from "node:fs";

import { expect } from "chai";

import { configurationPage, describeVariables } from "../../src/config/page.ts";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

interface Line {
  readonly name: string;
  readonly value: string;
  readonly comment: string;
}

/** The settings of .env, each with the comment right above it. */
function settingsIn(file: string): Line[] {
  const found = file.matchAll(/((?:^#.*\n)+)^([A-Z_]+)=(.*)$/gm);
  return [...found].map(([, comment = "", name = "", value = ""]) => ({
    name,
    value: value.replace(/^"(.*)"$/, "$1"),
    comment: comment.replace(/^# /gm, "").trim().replaceAll("\n", " "),
  }));
}

describe("What is said of the environment", () => {
  const described = describeVariables().flatMap(([, members]) => [...members]);

  it("is in docs/configuration.md as npm run docs writes it", () => {
    expect(read("docs/configuration.md")).to.equal(configurationPage());
  });

  it("is in .env in the same order and the same words, with each default or nothing", () => {
    const settings = settingsIn(read(".env"));
    expect(settings.map(({ name, comment }) => [name, comment])).to.deep.equal(
      described.map(([name, { meaning }]) => [name, meaning]),
    );
    for (const [at, [name, { fallback }]] of described.entries()) {
      expect([fallback, ""], name).to.include(settings[at]?.value);
    }
  });
});
