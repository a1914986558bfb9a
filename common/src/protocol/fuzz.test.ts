import * as fc from "fast-check";
import { fuzzProperties } from "@porthole/testing/fuzz-properties";

/** For a daily run; `npm run fuzz` runs for as long as you like. */
const numRuns = 3_000;

describe("whatever strangers send", function () {
  this.timeout(60_000);

  for (const [name, property] of Object.entries(fuzzProperties))
    it(`breaks no reader (${name})`, () => fc.assert(property, { numRuns }));
});
