import assert from "node:assert/strict";
import { withoutStripped } from "./strip.ts";

describe("taking out what belongs to Porthole", () => {
  const strip = { headers: ["authorization"], cookies: ["__Host-p"], query: ["share"] };
  const cases: readonly [string, readonly string[], string, readonly string[]][] = [
    ["/a?b=1&share=x&c=%20", ["Accept", "a"], "/a?b=1&c=%20", ["Accept", "a"]],
    ["/a?share=x", [], "/a", []],
    ["/a?share", [], "/a", []],
    ["/a?shares=1&xshare=2", [], "/a?shares=1&xshare=2", []],
    ["/?a=b?share=c", [], "/?a=b?share=c", []],
    ["/", ["AUTHORIZATION", "Basic x", "X", "y"], "/", ["X", "y"]],
    ["/", ["Cookie", "__Host-p=1"], "/", []],
    ["/", ["Cookie", "__Host-p=1; a=b"], "/", ["Cookie", "a=b"]],
    ["/", ["Cookie", "a=b;  __Host-p=1;c=d"], "/", ["Cookie", "a=b;c=d"]],
    ["/", ["Cookie", " a=b;;__Host-px=1"], "/", ["Cookie", " a=b;;__Host-px=1"]],
    ["/", ["cookie", "a=b", "cookie", "__Host-p=1"], "/", ["cookie", "a=b"]],
  ];
  for (const [target, headers, expectedTarget, expectedHeaders] of cases)
    it(`${target} ${headers.join(": ")}`, () => {
      assert.deepEqual(withoutStripped({ target, headers }, strip), {
        target: expectedTarget,
        headers: expectedHeaders,
      });
    });

  it("costs nothing when there is nothing to take out", () => {
    const head = { target: "/?share=x", headers: ["Authorization", "x"] };
    assert.equal(withoutStripped(head, undefined), head);
  });
});
