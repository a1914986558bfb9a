import assert from "node:assert/strict";
import { isFull } from "@porthole/testing/size";
import { platformReason, skipUnless } from "@porthole/testing/skip";
import { checkNative } from "./build.ts";

describe("the Rust half of the native QUIC engine", function () {
  this.timeout(15 * 60_000);

  it("has its format, no warnings, and passes its own tests", function () {
    skipUnless(this, isFull, platformReason("the crate's own tests are for npm run test:full -- scripts/native"));
    const passed = checkNative();
    skipUnless(this, passed !== undefined, platformReason("there is no Rust here"));
    assert.ok(passed);
  });
});
