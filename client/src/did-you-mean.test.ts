import assert from "node:assert/strict";
import { didYouMean } from "./did-you-mean.ts";

describe("did you mean", () => {
  const commands = ["status", "stop", "inspect"];
  for (const [typed, meant] of [
    ["http 3000", /porthole 3000\?/],
    ["tcp 5432", /porthole tcp:\/\/localhost:5432\?/],
    ["https 8443", /porthole https:\/\/localhost:8443\?/],
    ["start", /porthole 3000\?/],
    [":3000", /porthole 3000\?/],
    ["3000,4000", /porthole 3000 4000\?/],
    ["./dist", /Serve them first/],
    ["/var/www", /Serve them first/],
    ["index.html", /Serve them first/],
    ["http://localhost:3000/base", /no path here.*porthole http:\/\/localhost:3000\?/],
    ["statsu", /porthole status\?/],
    ["xyzzy", undefined],
    ["unix:/run/app.sock", undefined],
  ] as const)
    it(typed, () => {
      const answer = didYouMean(typed.split(" "), commands);
      if (meant) assert.match(answer ?? "", meant);
      else assert.equal(answer, undefined);
    });
});
