import assert from "node:assert/strict";
import { linkProblems } from "./markdown-links.ts";

describe("links between pages", () => {
  const problems = (content: string): string[] => {
    const pages = new Map([
      ["README.md", "[a](docs/a.md), [b](docs/b.md)"],
      ["docs/a.md", content],
      ["docs/b.md", "# Who may visit?\n\n## Twice\n\n## Twice\n\n```\n# not a heading\n```\n"],
    ]);
    const others = ["LICENSE", "docs", "docs/images/x y.png"];
    return linkProblems({ pages, exists: (path) => pages.has(path) || others.includes(path) });
  };

  for (const good of [
    "[b](b.md)",
    "[b](./b.md#who-may-visit)",
    "[second](b.md#twice-1)",
    "[licence](../LICENSE)",
    "[folder](../docs/)",
    "![picture](images/x%20y.png)",
    "# Here\n[here](#here)",
    "[far](https://example.com/gone.md) and [mail](mailto:a@example.com)",
    "`[code](gone.md)`",
    "```\n[code](gone.md)\n```",
    "[reference]\n\n[reference]: b.md",
  ])
    it(`takes ${good}`, () => assert.deepEqual(problems(good), []));

  it("finds a page of docs/ that no page links to", () => {
    const pages = new Map([
      ["docs/README.md", "[a](a.md)"],
      ["docs/a.md", ""],
      ["docs/b.md", "[itself](#b)\n# b"],
      ["bench/README.md", ""],
    ]);
    const found = linkProblems({ pages, exists: (path) => pages.has(path) });
    assert.deepEqual(found, ["docs/b.md: no page links to it; docs/README.md should"]);
  });

  for (const [bad, why] of [
    ["[gone](gone.md)", "docs/a.md:1 links to gone.md, which is not there"],
    ["\n\n[out](../../x.md)", "docs/a.md:3 links to ../../x.md, which is not there"],
    ["[b](b.md#nobody)", "docs/a.md:1 links to b.md#nobody, but docs/b.md has no such heading"],
    ["[b](b.md#not-a-heading)", "docs/a.md:1 links to b.md#not-a-heading, but docs/b.md has no such heading"],
    ["[b](b.md#twice-2)", "docs/a.md:1 links to b.md#twice-2, but docs/b.md has no such heading"],
    ["[here](#gone)", "docs/a.md:1 links to #gone, but docs/a.md has no such heading"],
    ["[r]\n\n[r]: gone.md", "docs/a.md:3 links to gone.md, which is not there"],
  ] as const)
    it(`refuses ${JSON.stringify(bad)}`, () => assert.deepEqual(problems(bad), [why]));
});
