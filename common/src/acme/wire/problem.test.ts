import assert from "node:assert/strict";
import { PortholeError } from "../../errors.ts";
import { answerError, problemOf, readProblem, validationError } from "./problem.ts";

describe("ACME problems", () => {
  it("are read whatever they are, and their text can't play tricks in a terminal", () => {
    const { type, status, message } = readProblem(400, {
      type: "urn:ietf:params:acme:error:malformed",
      detail: "a\u001b[2Jb\r\nc\u0085d\u2028e\u202ef",
    });
    assert.deepEqual({ type, status, message }, { type: "malformed", status: 400, message: "a [2Jb c d e f" });
    for (const odd of [undefined, null, "", "<h1>", 7, [], {}, { type: 1, detail: {}, subproblems: "x" }])
      assert.equal(readProblem(500, odd).status, 500);
    assert.equal(readProblem(400, { detail: "x".repeat(5_000) }).message.length, 1_000);
    const deep = Array.from({ length: 100 }, () => ({ type: "x", detail: "y" }));
    assert.equal(readProblem(400, { subproblems: deep }).subproblems.length, 20);
  });

  it("become the code that says what to do next", () => {
    const cases = [
      [429, "rateLimited", "busy"],
      [503, "", "busy"],
      [500, "serverInternal", "ca"],
      [400, "externalAccountRequired", "usage"],
      [400, "invalidContact", "usage"],
      [403, "rejectedIdentifier", "name"],
      [403, "caa", "name"],
      [400, "badCSR", "key"],
      [403, "unauthorized", "unauthorized"],
      [400, "toString", "ca"],
      [418, "https://ca.test/teapot", "ca"],
    ] as const;
    for (const [status, type, code] of cases) {
      const error = answerError("ca.test", readProblem(status, { type, detail: "because" }), 5);
      assert.equal(error.code, code, type);
      assert.equal(error.retryAfterMs, 5);
      assert.match(error.message, /ca\.test says: because/);
      assert.equal(problemOf(error)?.type, type);
    }
    assert.equal(problemOf(new PortholeError("ca", "x", { cause: new Error("y") })), undefined);
  });

  it("of a validation speak of the name's way to us; the subproblem knows best", () => {
    const subproblems = [{ type: "urn:ietf:params:acme:error:dns", detail: "NXDOMAIN" }];
    const error = validationError(
      "a.test",
      readProblem(0, { type: "urn:ietf:params:acme:error:compound", subproblems }),
    );
    assert.match(error.message, /NXDOMAIN/);
    assert.match(error.hint ?? "", /A or AAAA record for a\.test/);
    assert.match(validationError("a.test", undefined).hint ?? "", /port 443/);
  });
});
