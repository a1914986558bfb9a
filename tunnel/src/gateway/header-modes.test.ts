import assert from "node:assert/strict";
import type { VisitorConnection } from "../http/index.ts";
import { toService, toVisitor, type Names } from "./header-modes.ts";
import { localNames, localSide } from "./services/local-side.ts";
import { parseLocalService } from "./services/local-service.ts";
import { parseRoute } from "./services/routes.ts";

const visitor: VisitorConnection = {
  endpoint: "primary",
  address: "2001:db8::7",
  hostname: "x.tunnel.dev",
  traceId: "t",
  transport: "quic",
};
const main = parseLocalService("5173");
const routes = [parseRoute("/api=http://app.internal:4000")];

function names(mode: Names["mode"], publicAuthority = "x.tunnel.dev:8443"): Names {
  return { mode, publicAuthority, local: localSide(main), localNames: localNames(main, routes) };
}

describe("headers on their way to the service", () => {
  const ours = "https://x.tunnel.dev:8443";
  const cases: readonly [string, readonly string[], readonly string[], readonly string[]][] = [
    // What the visitor sends, and what is left of it in each mode; Host and what a proxy adds are looked at below.
    ["Origin of ours", ["Origin", ours], ["Origin", ours], ["Origin", "http://localhost:5173"]],
    ["Origin of others", ["origin", "https://b.dev"], ["origin", "https://b.dev"], ["origin", "https://b.dev"]],
    [
      "Origin without the port",
      ["Origin", "https://x.tunnel.dev"],
      ["Origin", "https://x.tunnel.dev"],
      ["Origin", "https://x.tunnel.dev"],
    ],
    ["Origin null", ["Origin", "null"], ["Origin", "null"], ["Origin", "null"]],
    [
      "Referer of ours",
      ["Referer", `${ours}/a?b`],
      ["Referer", `${ours}/a?b`],
      ["Referer", "http://localhost:5173/a?b"],
    ],
    [
      "Referer that begins as ours",
      ["Referer", `${ours}.evil/`],
      ["Referer", `${ours}.evil/`],
      ["Referer", `${ours}.evil/`],
    ],
    ["what Connection names", ["Connection", "keep-alive, X-Hop", "x-hop", "1", "A", "b"], ["A", "b"], ["A", "b"]],
    [
      "what belongs to one connection",
      ["Keep-Alive", "5", "Upgrade", "x", "Transfer-Encoding", "chunked", "Proxy-Connection", "x"],
      [],
      [],
    ],
    [
      "what only a proxy may say",
      ["X-Forwarded-For", "1", "x_forwarded_host", "2", "X-Forwarded-Prefix", "3", "Forwarded", "4", "X-Real-IP", "5"],
      [],
      [],
    ],
    [
      "what rewrites the target or names the visitor",
      [
        ...["X-Original-URL", "/admin", "x_rewrite_url", "/admin", "X-Original-Host", "a", "X-Host", "a"],
        ...["Proxy", "http://evil.example", "True-Client-IP", "1", "CF-Connecting-IP", "1", "X_Client_IP", "1"],
      ],
      [],
      [],
    ],
    [
      "what names the framing with an underscore",
      ["Content_Length", "3", "Transfer_Encoding", "chunked", "hOST_", "kept"],
      ["hOST_", "kept"],
      ["hOST_", "kept"],
    ],
    [
      "what an application may understand",
      ["X-HTTP-Method-Override", "PUT"],
      ["X-HTTP-Method-Override", "PUT"],
      ["X-HTTP-Method-Override", "PUT"],
    ],
    ["TE", ["TE", "gzip, trailers"], ["TE", "trailers"], ["TE", "trailers"]],
    ["TE without trailers", ["te", "gzip"], [], []],
    [
      "cookies of HTTP/2",
      ["cookie", "a=1", "x", "y", "cookie", "b=2"],
      ["x", "y", "Cookie", "a=1; b=2"],
      ["x", "y", "Cookie", "a=1; b=2"],
    ],
    [
      "the same name twice",
      ["Accept", "a", "accept", "b"],
      ["Accept", "a", "accept", "b"],
      ["Accept", "a", "accept", "b"],
    ],
  ];
  const added = { transparent: ["Host", "x.tunnel.dev:8443"], localhost: ["Host", "localhost:5173"] };
  for (const [what, sent, transparent, localhost] of cases) {
    it(what, () => {
      for (const [mode, expected] of Object.entries({ transparent, localhost }) as [
        Names["mode"],
        readonly string[],
      ][]) {
        const got = toService(["Host", "x.tunnel.dev:8443", ...sent], visitor, names(mode));
        assert.deepEqual(got.slice(0, got.indexOf("X-Forwarded-For")), [...added[mode], ...expected], mode);
      }
    });
  }

  it("tell where the visitor comes from, as one coherent set", () => {
    const tail = (mode: Names["mode"], authority?: string): string[] =>
      toService([], visitor, names(mode, authority)).slice(2);
    const address = ["X-Forwarded-For", "2001:db8::7"];
    assert.deepEqual(tail("localhost"), [...address, "Forwarded", 'for="[2001:db8::7]"']);
    assert.deepEqual(tail("transparent"), [
      ...address,
      ...["X-Forwarded-Proto", "https", "X-Forwarded-Host", "x.tunnel.dev:8443", "X-Forwarded-Port", "8443"],
      ...["Forwarded", 'for="[2001:db8::7]";host="x.tunnel.dev:8443";proto=https'],
    ]);
    assert.deepEqual(tail("transparent", "x.tunnel.dev").slice(2), [
      ...["X-Forwarded-Proto", "https", "X-Forwarded-Host", "x.tunnel.dev", "X-Forwarded-Port", "443"],
      ...["Forwarded", 'for="[2001:db8::7]";host=x.tunnel.dev;proto=https'],
    ]);
  });
});

describe("headers on their way to the visitor", () => {
  const out = "https://x.tunnel.dev:8443";
  const cases: readonly [string, string, string][] = [
    ["Location", "http://localhost:5173/a?b#c", `${out}/a?b#c`],
    ["location", "http://127.0.0.1:5173", out],
    ["Location", "http://[::1]:5173/", `${out}/`],
    ["Location", "//localhost:5173/a", `${out}/a`],
    ["Location", "https://localhost:5173/a", `${out}/a`],
    ["Location", "http://app.internal:4000/api", `${out}/api`],
    ["Location", "http://x.tunnel.dev:8443/a", `${out}/a`],
    ["Location", "/relative", "/relative"],
    ["Location", "http://localhost:9999/", "http://localhost:9999/"],
    ["Location", "http://localhost/", "http://localhost/"],
    ["Location", "http://localhost:5173.evil.example/", "http://localhost:5173.evil.example/"],
    [
      "Location",
      "https://accounts.example/?to=http://localhost:5173/",
      "https://accounts.example/?to=http://localhost:5173/",
    ],
    ["Content-Location", "http://localhost:5173/a", `${out}/a`],
    ["HX-Redirect", "http://localhost:5173/a", `${out}/a`],
    ["X-Inertia-Location", "http://localhost:5173/a", `${out}/a`],
    ["Turbolinks-Location", "http://127.0.0.1:5173/a", `${out}/a`],
    ["SourceMap", "http://localhost:5173/a.map", `${out}/a.map`],
    ["Refresh", "5; url=http://localhost:5173/a", `5; url=${out}/a`],
    ["Refresh", "0;URL='http://localhost:5173/a'", `0;URL='${out}/a'`],
    ["Link", "<http://localhost:5173/a>; rel=preload, </b>; rel=x", `<${out}/a>; rel=preload, </b>; rel=x`],
    ["Set-Cookie", "a=1; Domain=localhost; Path=/; HttpOnly", "a=1; Path=/; HttpOnly"],
    ["Set-Cookie", "a=1; path=/; domain=.127.0.0.1", "a=1; path=/"],
    ["Set-Cookie", "a=1; Domain=example.com", "a=1; Domain=example.com"],
    ["X-Other", "http://localhost:5173/", "http://localhost:5173/"],
  ];
  for (const [name, value, expected] of cases) {
    it(`${name}: ${value}`, () => {
      for (const mode of ["transparent", "localhost"] as const)
        assert.deepEqual(toVisitor([name, value], names(mode)), [name, expected], mode);
    });
  }

  it("answer an Origin that was rewritten, and no other", () => {
    const allowed = ["Access-Control-Allow-Origin", "http://localhost:5173"];
    assert.deepEqual(toVisitor(allowed, names("localhost")), ["Access-Control-Allow-Origin", out]);
    assert.deepEqual(toVisitor(allowed, names("transparent")), allowed);
    const any = ["Access-Control-Allow-Origin", "*"];
    assert.deepEqual(toVisitor(any, names("localhost")), any);
  });

  it("are those of the message, not of the connection", () => {
    const sent = ["Connection", "X-Hop", "X-Hop", "1", "Keep-Alive", "5", "Transfer-Encoding", "chunked", "A", "b"];
    assert.deepEqual(toVisitor(sent, names("transparent")), ["A", "b"]);
  });
});
