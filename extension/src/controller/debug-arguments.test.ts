import assert from "node:assert/strict";
import { debugArguments } from "./debug-arguments.ts";

describe("the daemon's debugger", () => {
  for (const [what, isDevelopment, port, expected] of [
    ["listens on loopback only", true, "9339", ["--inspect=127.0.0.1:9339", "--enable-source-maps"]],
    ["is off without a port", true, undefined, []],
    ["is off for an empty port", true, "", []],
    ["is off in an installed extension", false, "9339", []],
    ["is off in an installed extension, whatever the variable says", false, "0.0.0.0:9339", []],
  ] as const)
    it(what, () => assert.deepEqual(debugArguments(isDevelopment, port), expected));

  for (const port of ["0", "65536", "99999", "9339 ", "0.0.0.0:9339", "-1", "09339", "1e3"])
    it(`rejects ${JSON.stringify(port)}`, () =>
      assert.throws(() => debugArguments(true, port), { code: "usage", message: /PORTHOLE_DAEMON_INSPECT/ }));
});
