import assert from "node:assert/strict";
import { parsePathList } from "./path-list.ts";

describe("a list of paths", () => {
  const hooks = ["/webhooks/*"];
  const noAdmin = ["!/admin/*"];
  const cases: readonly [readonly string[], string, boolean][] = [
    [hooks, "/webhooks/stripe", true],
    [hooks, "/webhooks/a/b/c?x=/y", true],
    [hooks, "/webhooks", true],
    [hooks, "/webhooks/", true],
    [hooks, "/webhooks2", false],
    [hooks, "/", false],
    [hooks, "/web%68ooks/stripe", true],
    [hooks, "/Webhooks/stripe", false],
    [hooks, "/webhooks/../admin", false],
    [hooks, "/webhooks/%2e%2e/admin", false],
    [hooks, "/webhooks/.%2E/admin", false],
    [hooks, "/webhooks/..;/admin", false],
    [hooks, "/webhooks/..%2fadmin", false],
    [hooks, "/webhooks/..%5cadmin", false],
    [hooks, "/webhooks/..\\admin", false],
    [hooks, "/webhooks/%252e%252e/admin", false],
    [hooks, "/webhooks/%zz", false],
    [hooks, "*", false],
    [hooks, "http://name.example/webhooks/x", false],
    [hooks, "/x?/webhooks/y", false],
    [["/hook"], "/hook?a=b", true],
    [["/hook"], "/hook/", false],
    [["/hook"], "/hook/more", false],
    [["/files/*.json"], "/files/a.json", true],
    [["/files/*.json"], "/files/a/b.json", false],
    [["/files/*.json"], "/files/ajson", false],
    [["/*", "!/admin/*"], "/index.html", true],
    [["/*"], "/", true],
    [["/café"], "/caf%C3%A9", true],
    [noAdmin, "/", true],
    [noAdmin, "/admin", false],
    [noAdmin, "/admin/", false],
    [noAdmin, "/ADMIN/users", false],
    [noAdmin, "//admin/users", false],
    [noAdmin, "/%61dmin/users", false],
    [noAdmin, "/admin;v=1/users", false],
    [noAdmin, "/x/../admin", false],
    [["!/secret"], "/secret/", false],
  ];
  for (const [texts, target, isIn] of cases)
    it(`${texts.join(" ")} ${isIn ? "exposes" : "does not expose"} ${target}`, () => {
      assert.equal(parsePathList(texts).includes(target), isIn);
    });

  for (const text of ["", "webhooks/*", "/a?b", "/a b", "/a/../b", "!", "/a%2fb"])
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parsePathList([text]), { code: "usage" }));
});
