import assert from "node:assert/strict";
import { generateKey } from "@porthole/common/identity";
import { addBan, banReason, liftBan, parseBan } from "./bans.ts";
import { noEnrollments } from "./enrollments.ts";

const day = 24 * 3_600_000;
const key = generateKey();
const other = generateKey();
const client = { keys: [key], address: "203.0.113.7", hostname: "app.tunnel.example.com" };

describe("bans", () => {
  for (const [text, kind, what] of [
    [key.clientId.toUpperCase(), "key", key.clientId],
    [key.fingerprint, "key", key.fingerprint],
    ["203.0.113.7", "network", "203.0.113.7/32"],
    ["::ffff:203.0.113.7", "network", "203.0.113.7/32"],
    ["203.0.113.0/24", "network", "203.0.113.0/24"],
    ["2001:DB8::/32", "network", "2001:db8::/32"],
    ["App", "name", "app"],
    ["App.Tunnel.Example.com", "name", "app.tunnel.example.com"],
  ] as const)
    it(`${text} is a ${kind}`, () => assert.deepEqual(parseBan(text), { kind, what }));

  for (const text of ["", "203.0.113.0/33", "2001:db8::/129", "203.0.113.0/", "203.0.113.0/24/8", "a b", "-"])
    it(`${JSON.stringify(text)} is refused`, () => assert.throws(() => parseBan(text), { code: "usage" }));

  for (const [what, isMeant] of [
    [key.clientId, true],
    [key.fingerprint, true],
    [other.clientId, false],
    ["203.0.113.7", true],
    ["203.0.113.0/24", true],
    ["203.0.113.0/29", true],
    ["203.0.113.8/29", false],
    ["2001:db8::/32", false],
    ["app", true],
    ["app.tunnel.example.com", true],
    ["app.other.example.com", false],
    ["tunnel", false],
  ] as const)
    it(`${what} ${isMeant ? "concerns" : "does not concern"} the client`, () => {
      const banned = addBan(noEnrollments, what, 0, undefined);
      assert.equal(banReason(banned, client, 0)?.code, isMeant ? "unauthorized" : undefined);
      assert.equal(banReason(liftBan(banned, what), client, 0), undefined);
    });

  it("knows an IPv6 client by its network", () => {
    const banned = addBan(noEnrollments, "2001:db8::/32", 0, undefined);
    assert.ok(banReason(banned, { ...client, address: "2001:db8:1::7" }, 0));
    assert.equal(banReason(banned, { ...client, address: "2001:db9::7" }, 0), undefined);
  });

  it("concerns the owner's other keys", () => {
    const banned = addBan(noEnrollments, other.clientId, 0, undefined);
    assert.ok(banReason(banned, { ...client, keys: [key, other] }, 0));
  });

  it("ends by itself, and says when", () => {
    const banned = addBan(noEnrollments, "app", 0, day);
    assert.match(
      banReason(banned, client, day - 1)?.message ?? "",
      /this name is banned .* until 1970-01-02 00:00 UTC/,
    );
    assert.equal(banReason(banned, client, day), undefined);
  });

  it("can be lifted only if it is there", () =>
    assert.throws(() => liftBan(noEnrollments, "app"), { code: "usage", message: "app is not banned" }));
});
