import assert from "node:assert/strict";
import { chooseAlpn, parseLocalService } from "./local-service.ts";
import { isPublicName } from "./special-use.ts";

describe("local service", () => {
  const good: readonly (readonly [string, string, string, number])[] = [
    ["3000", "any", "127.0.0.1", 3000],
    ["localhost:5173", "any", "localhost", 5173],
    ["[::1]:8080", "any", "::1", 8080],
    ["tcp://127.0.0.1:6379", "any", "127.0.0.1", 6379],
    ["http://localhost", "http", "localhost", 80],
    ["http://app.internal:8000/", "http", "app.internal", 8000],
    ["https://localhost", "https", "localhost", 443],
    ["h2c://127.0.0.1:9000", "h2c", "127.0.0.1", 9000],
  ];
  for (const [text, kind, host, port] of good) {
    it(`reads ${text}`, () => assert.deepEqual(parseLocalService(text), { text, kind, host, port }));
  }

  const bad = [
    "",
    "localhost",
    "0",
    "65536",
    "tcp://localhost",
    "ftp://localhost:21",
    "http://u:p@localhost",
    "http://localhost/path",
    "a b:1",
  ];
  for (const text of bad) {
    it(`refuses ${JSON.stringify(text)}, and says what to write`, () =>
      assert.throws(
        () => parseLocalService(text),
        (error: { code: string; hint: string }) => error.code === "usage" && error.hint.includes("3000"),
      ));
  }

  it("agrees on HTTP/2 only with a service that speaks it, or when nothing else is offered", () => {
    const any = parseLocalService("3000");
    const h2c = parseLocalService("h2c://localhost:3000");
    assert.equal(chooseAlpn(any, ["h2", "http/1.1"]), "http/1.1");
    assert.equal(chooseAlpn(h2c, ["http/1.1", "h2"]), "h2");
    assert.equal(chooseAlpn(any, ["h2"]), "h2");
    assert.equal(chooseAlpn(any, ["postgresql"]), "postgresql");
    assert.equal(chooseAlpn(any, []), undefined);
  });
});

describe("public names", () => {
  it("are those that a public CA could know", () => {
    for (const name of ["a.tunnel.dev", "example.dev", "a.notlocal"]) assert.ok(isPublicName(name), name);
    for (const name of ["localhost", "a.localhost", "a.b.test", "x.example.com", "x.home.arpa", "x.internal"])
      assert.ok(!isPublicName(name), name);
  });
});
