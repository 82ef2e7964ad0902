import { expect } from "chai";

import { mutated } from "./mutated-copy.ts";
import { mutations } from "./mutations.ts";

describe("mutations that seeds must find", () => {
  for (const mutation of mutations) {
    it(`fits the program: ${mutation.name}`, () => {
      expect(mutated(mutation)).to.be.a("string");
    });
  }
});
