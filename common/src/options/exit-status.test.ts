import assert from "node:assert/strict";
import { PortholeError, setting } from "../errors.ts";
import { errorLines, exitStatusOf, withFlags } from "./exit-status.ts";

describe("exitStatusOf", () => {
  for (const [code, status] of [
    ["aborted", 0],
    ["unreachable", 1],
    ["internal", 1],
    ["usage", 2],
    ["unauthorized", 3],
    ["name", 3],
    ["version", 3],
  ] as const)
    it(`is ${status} for ${code}`, () => assert.equal(exitStatusOf(new PortholeError(code, "")), status));
});

describe("withFlags", () => {
  for (const [text, expected] of [
    [`Choose another with ${setting("state-dir")}.`, "Choose another with --state-dir."],
    [`${setting("acme-staging")} and ${setting("acme-directory")}`, "--acme-staging and --acme-directory"],
    ["a path /{id} and {unknown-setting}", "a path /{id} and {unknown-setting}"],
    ["", ""],
  ] as const)
    it(`words ${JSON.stringify(text)}`, () => assert.equal(withFlags(text), expected));

  it("words an error with its hint", () => {
    const error = new PortholeError("service-down", "Nothing listens", { hint: `Choose with ${setting("local")}.` });
    assert.equal(errorLines("porthole", error), "porthole: Nothing listens\n  Choose with --local.\n");
  });
});
