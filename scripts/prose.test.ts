import assert from "node:assert/strict";
import { proseProblems } from "./prose.ts";

/** Cut in two: the check reads this file as well. */
const text = (...parts: readonly string[]): string => parts.join("");

describe("prose that readers stumble over", () => {
  const found: readonly (readonly [string, string, number, string])[] = [
    ["a word", text("// Ends who", "ever came.\n"), 1, text("who", "ever")],
    ["at the beginning", text("x\n\nAn", "ew, it begins."), 3, text("An", "ew")],
    ["a phrase over two lines of a comment", text("/**\n * It goes", "\n * on.\n */"), 2, text("goes", " on")],
    ["a phrase over two lines of Markdown", text("Two links, of", "\nwhich one is up."), 1, text("of", " which")],
    ["a comment without a subject", text("/** O", "f a body. */"), 1, text("O", "f")],
    ["a long comment without a subject", text("/**\n * O", "f a body.\n */"), 2, text("O", "f")],
    ["a function that answers", text("/** Ans", "wers its length. */"), 1, text("Ans", "wers")],
    [
      "a function that answers something",
      text("/** Looks, and ans", "wers whether it is there. */"),
      1,
      text("ans", "wers whether"),
    ],
  ];
  for (const [what, content, line, words] of found)
    it(`is ${what}`, () => {
      const problems = proseProblems("a.ts", content);
      assert.equal(problems.length, 1);
      assert.ok(problems[0]?.startsWith(`a.ts:${line} says "${words}"; write `), problems[0]);
    });

  for (const content of [
    "const meanwhileMs = 1;",
    "/** Returns the size of a body. */",
    "A renewal is part of what it does.",
    "As long as it runs, it stays.",
    "Press the button to go online.",
  ])
    it(`is not ${content}`, () => assert.deepEqual(proseProblems("a.ts", content), []));
});
