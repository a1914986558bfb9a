import * as fc from "fast-check";
import { fuzzProperties } from "@porthole/testing/fuzz-properties";

/**
 * `npm run fuzz -- [SECONDS]`: what `fuzz.test.ts` does in a moment, for SECONDS for each property, with other bytes each time. A finding
 * is printed with the seed that repeats it, made as small as possible: it belongs into the vectors of common/testdata.
 */
const [seconds = "60"] = process.argv.slice(2);
if (!/^\d+$/.test(seconds)) {
  console.error("npm run fuzz -- [SECONDS]");
  process.exit(2);
}
for (const [name, property] of Object.entries(fuzzProperties)) {
  const endsAt = performance.now() + Number(seconds) * 1_000;
  let runs = 0;
  for (; performance.now() < endsAt; runs += 10_000) fc.assert(property, { numRuns: 10_000 });
  console.log(`${name}: ${runs} inputs, nothing found`);
}
