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
    [noAdmin, "/x//../admin", false],
    [noAdmin, "/%61dmin/users", false],
    [noAdmin, "/admin;v=1/users", false],
    [noAdmin, "/x/../admin", false],
    [["!/secret"], "/secret/", false],
  ];
  for (const [texts, target, isIn] of cases)
    it(`${texts.join(" ")} ${isIn ? "exposes" : "does not expose"} ${target}`, () => {
      assert.equal(parsePathList(texts).includes(target), isIn);
    });

  /** What some server takes for /admin or /admin/users, although it is written otherwise. */
  const spellings: Readonly<Record<string, readonly string[]>> = {
    "letter case": ["/ADMIN", "/Admin/Users", "/adm\u0131n", "/%61%64MIN"],
    "percent forms": ["/%61dmin", "/adm%69n/users", "/%2561dmin", "/%25%36%31dmin", "/admin%2fusers", "/%u0061dmin"],
    "broken percent forms": [
      "/admin%",
      "/admin%2",
      "/admin%zz",
      "/%c1%a1dmin",
      "/%e0%81%a1dmin",
      "/admin%ff",
      "/%80admin",
    ],
    "Unicode's compatibility forms": [
      "/%ef%bd%81dmin",
      "/%ef%bc%8fadmin",
      "/x/%e2%80%a5/admin",
      "/admin%ef%bc%9bx",
      "/adm%c4%b1n%e2%88%95",
    ],
    "the long s and the Kelvin sign": ["/u%c5%bfers", "/%e2%84%aaeys"],
    "dot segments": [
      "/./admin",
      "/x/../admin",
      "/admin/.",
      "/admin/x/..",
      "/.",
      "/..",
      "/x/%2e%2e/admin",
      "/x/.%2E/admin",
    ],
    "dot segments with blanks": ["/x/..%20/admin", "/x/%20../admin", "/x/.%20./admin", "/x/...%20/admin"],
    "dot segments with parameters": ["/x/..;/admin", "/x/..;a=b/admin", "/x/..%3b/admin", "/x/.;/../admin"],
    "more dots": ["/x/.../admin", "/x/..../admin"],
    slashes: [
      "//admin",
      "///admin",
      "/x//../admin",
      "/admin//",
      "/admin//users",
      "//x/admin",
      "//x//admin",
      "/%2fadmin",
    ],
    backslashes: ["/\\admin", "\\admin", "/x\\..\\admin", "/admin\\users", "/x/..%5cadmin", "/%5cadmin"],
    "path parameters": ["/admin;", "/admin;v=1", "/admin;v=1/users", "/admin;/users", "/admin%3bv=1", "/;x/admin"],
    "ends of names": [
      "/admin.",
      "/admin..",
      "/admin%20",
      "/admin.%20.",
      "/admin::$DATA",
      "/admin%c2%a0",
      "/admin%c2%85",
    ],
    "the query, encoded": ["/admin%3f", "/admin%3fx", "/admin%23", "/admin%23/x", "/admin%3f/../x"],
    "control characters": [
      "/admin%00",
      "/admin%00.png",
      "/admin%0a",
      "/admin%0d%0a",
      "/admin%09",
      "/admin%7f",
      "/%1fadmin",
    ],
    "bytes that are not printable ASCII": [
      "/admin\x85",
      "/admin\xa0",
      "/admin\t",
      "/admin ",
      "/admin\x00",
      "/adm\xefn",
      "/admin\x7f",
    ],
    "a trailing slash": ["/admin/", "/admin/?x", "/admin?x", "/admin/?"],
    "other forms of the target": [
      "",
      "*",
      "admin",
      "?/admin",
      "#/admin",
      "http://x/admin",
      "HTTP://x/admin",
      "x:80",
      "/#/admin",
    ],
  };
  const kept = parsePathList(["!/admin", "!/admin/*", "!/users", "!/keys"]);
  for (const [kind, targets] of Object.entries(spellings))
    it(`keeps a path closed in every spelling: ${kind}`, () => {
      for (const target of targets) assert.equal(kept.includes(target), false, JSON.stringify(target));
    });
  it("opens nothing but what is let in, in any spelling", () => {
    const hook = parsePathList(["/hook", "/files/*"]);
    for (const target of Object.values(spellings).flat())
      assert.equal(hook.includes(target), false, JSON.stringify(target));
  });
  it("leaves what only looks similar open", () => {
    for (const target of [
      "/",
      "/administrator",
      "/x/admin",
      "/admin-2",
      "/a;b/c",
      "/x//y",
      "/C%23.pdf",
      "/%e2%82%ac",
      "/a..b",
      "/.well-known/x",
      "/a%20b",
      "/x?/admin",
      "/x?a=//b",
    ])
      assert.equal(kept.includes(target), true, target);
  });

  it("matches many stars in linear time", () => {
    const list = parsePathList([`/${"*a".repeat(20)}b`, `!/${"*/".repeat(10)}x*y*z*`]);
    const before = process.cpuUsage();
    for (const target of [
      `/${"a".repeat(32_000)}`,
      "/a".repeat(16_000),
      `/${"x".repeat(32_000)}`,
      `/${"%61".repeat(10_000)}`,
    ])
      list.includes(target);
    const { user, system } = process.cpuUsage(before);
    assert.ok((user + system) / 1_000 < 100, `${(user + system) / 1_000} ms`);
  });

  for (const [pattern, path, isIn] of [
    ["/*a*b*", "/xaxbx", true],
    ["/*a*b*", "/ba", false],
    ["/a*a", "/a", false],
    ["/a*a", "/aa", true],
    ["/*.*.js", "/a.b.js", true],
    ["/*.*.js", "/a.js", false],
    ["/v*/x", "/v1/x", true],
    ["/v*/x", "/v1/y/x", false],
    ["/v*/*", "/v1/y/x", true],
  ] as const)
    it(`${pattern} ${isIn ? "is" : "is not"} ${path}`, () =>
      assert.equal(parsePathList([pattern]).includes(path), isIn));

  for (const text of [
    "",
    "webhooks/*",
    "/a?b",
    "/a b",
    "/a/../b",
    "!",
    "/a%2fb",
    "//a",
    "/a/.",
    "/a%",
    "/a\\b",
    "/a\u00a0b",
  ])
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parsePathList([text]), { code: "usage" }));
});
