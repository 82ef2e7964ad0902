import { expect } from "chai";

import { checkModel, findTlc, settings } from "../../embedded/tlc.mjs";

const tlc = findTlc(process.env);

if ("lack" in tlc) {
  describe.skip(`The model of the numbering (skipped: ${tlc.lack}; npm run fetch:tlc)`, () => {
    suite();
  });
} else {
  describe("The model of the numbering", () => {
    suite(tlc);
  });
}

function suite(found?: Exclude<ReturnType<typeof findTlc>, { lack: string }>): void {
  for (const { name, expected } of settings().filter(({ isQuick }) => isQuick)) {
    const what = expected === "holds" ? "gives no number twice" : "shows the number that is given twice";
    it(`${what} with ${name}`, async function () {
      this.timeout(600_000);
      if (!found) throw new Error("only where TLC was found");
      const { outcome, output } = await checkModel(found, name);
      expect(outcome, output).to.equal(expected);
    });
  }
}
