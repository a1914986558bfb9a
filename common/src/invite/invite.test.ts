import assert from "node:assert/strict";
import { inspect } from "node:util";
import type { PortholeError } from "../errors.ts";
import { generateKey } from "../identity/index.ts";
import { Secret } from "../util/index.ts";
import { formatInvite, parseInvite } from "./invite.ts";

const pin = generateKey().fingerprint;
const token = "abcdefghij.klmnopqrstuvwxyz234567abcd";

describe("an invite", () => {
  for (const scheme of ["porthole", "vscode"] as const) {
    for (const host of ["relay.example.com", "192.0.2.7", "2001:db8::7"]) {
      it(`for ${host} survives being written as ${scheme}://`, () => {
        const text = formatInvite({ relay: { host, port: 443 }, pin, token: new Secret(token) }, scheme);
        assert.ok(URL.canParse(text));
        const { relay, pin: readPin, token: readToken } = parseInvite(` ${text}\n`);
        assert.deepEqual([relay, readPin, readToken.reveal()], [{ host, port: 443 }, pin, token]);
      });
    }
  }

  it("looks like this", () => {
    const invite = { relay: { host: "t.example.com", port: 4433 }, pin: undefined, token: new Secret("one.two") };
    assert.equal(formatInvite(invite, "porthole"), "porthole://join?relay=t.example.com:4433&token=one.two");
    assert.equal(
      formatInvite(invite, "vscode"),
      "vscode://porthole.porthole/join?relay=t.example.com:4433&token=one.two",
    );
  });

  it("opens the relay's page without telling anybody of the token", () => {
    const invite = { relay: { host: "t.example.com", port: 4433 }, pin, token: new Secret(token) };
    const text = formatInvite(invite, { page: "https://t.example.com:8443/join" });
    const { origin, pathname, search, hash } = new URL(text);
    assert.deepEqual([origin, pathname, search], ["https://t.example.com:8443", "/join", ""]);
    assert.ok(hash.includes(token));
    const read = parseInvite(text);
    assert.deepEqual([read.relay, read.pin, read.token.reveal()], [invite.relay, pin, token]);
  });

  it("names the certificate authority that the relay's clients use, where it is not everybody's", () => {
    const certificateDirectory = "https://ca.example:14000/dir?a=1&b=2";
    const relay = { host: "t.example.com", port: 4433 };
    const text = formatInvite({ relay, pin, token: new Secret(token), certificateDirectory }, "porthole");
    assert.ok(text.includes("&ca=https%3A%2F%2Fca.example%3A14000%2Fdir%3Fa%3D1%26b%3D2&"));
    assert.equal(parseInvite(text).certificateDirectory, certificateDirectory);
    assert.equal(parseInvite("porthole://join?relay=t&token=x").certificateDirectory, undefined);
  });

  const read: readonly [string, string, object][] = [
    ["without a port", `porthole://join?relay=T.example.com&token=x`, { host: "t.example.com", port: 4433 }],
    ["of a fork of the editor", `code-oss://porthole.porthole/join?relay=t&token=x`, { host: "t", port: 4433 }],
    ["with a slash", `porthole://join/?relay=t&token=x`, { host: "t", port: 4433 }],
    ["encoded throughout", `porthole://join?relay=%5B%3A%3A1%5D%3A5&token=x`, { host: "::1", port: 5 }],
    ["of a later version", `porthole://join?v=2&relay=t&token=x`, { host: "t", port: 4433 }],
  ];
  for (const [what, text, relay] of read) {
    it(`may be one ${what}`, () => assert.deepEqual(parseInvite(text).relay, relay));
  }

  const wrong: readonly [string, string, RegExp][] = [
    ["a link whose token goes over the net", "https://example.com/join?relay=t&token=x", /another form/],
    ["a page without TLS", "http://example.com/join#relay=t&token=x", /another form/],
    ["another page", "https://example.com/other#relay=t&token=x", /another form/],
    ["another extension's link", "vscode://other.porthole/join?relay=t&token=x", /another form/],
    ["another path", "vscode://porthole.porthole/leave?relay=t&token=x", /another form/],
    ["nothing", "", /another form/],
    ["a book", `porthole://join?relay=t&token=${"x".repeat(3_000)}`, /another form/],
    ["no relay", "porthole://join?token=x", /no relay/],
    ["a bad relay", "porthole://join?relay=a_b&token=x", /relay: expected/],
    ["a bad port", "porthole://join?relay=t:99999&token=x", /relay: expected/],
    ["two relays", "porthole://join?relay=t&relay=u&token=x", /relay twice/],
    ["a bad pin", "porthole://join?relay=t&pin=abc&token=x", /pin: "abc" is not a fingerprint/],
    ["an authority without TLS", "porthole://join?relay=t&ca=http://ca.example/dir&token=x", /ca: .* not an https URL/],
    ["an authority's file", "porthole://join?relay=t&ca=file:///etc/passwd&token=x", /ca: .* not an https URL/],
    ["no token", "porthole://join?relay=t", /token is missing or cut off/],
    ["a token with other characters", "porthole://join?relay=t&token=se%20cret", /token is missing or cut off/],
  ];
  for (const [what, text, message] of wrong) {
    it(`is not ${what}`, () =>
      assert.throws(
        () => parseInvite(text),
        (error: PortholeError) => {
          assert.equal(error.code, "usage");
          assert.match(error.message, message);
          assert.ok(error.hint);
          assert.ok(!inspect(error).includes("se cret") && !inspect(error).includes("se%20cret"));
          return true;
        },
      ));
  }

  it("does not show its token by accident", () => {
    assert.ok(!inspect(parseInvite(`porthole://join?relay=t&token=${token}`)).includes(token));
  });
});
