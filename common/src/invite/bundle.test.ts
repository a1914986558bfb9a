import assert from "node:assert/strict";
import type { PortholeError } from "../errors.ts";
import { generateKey } from "../identity/index.ts";
import { Secret } from "../util/index.ts";
import { formatBundle, isBundle, parseBundle, type Bundle } from "./bundle.ts";

const [primary, web] = [generateKey(), generateKey()];
const passphrase = new Secret("correct horse");
const relay = { host: "relay.example.com", port: 4433, pin: primary.fingerprint, label: "work" };
const bundle: Bundle = {
  identities: [
    { name: "primary", key: primary },
    { name: "tunnels/web", key: web },
  ],
  relays: [{ ...relay, token: new Secret("one-time") }],
};

const asData = ({ identities, relays }: Bundle) => ({
  identities: identities.map(({ name, key }) => [name, key.pem]),
  relays,
});

function key(text: RegExp): (thrown: PortholeError) => boolean {
  return ({ code, message }) => code === "key" && text.test(message);
}

/** A bundle with this content, as anybody could make one. */
function made(content: unknown): string {
  const body = Buffer.from(JSON.stringify(content)).toString("base64");
  return `-----BEGIN PORTHOLE BUNDLE-----\n${body}\n-----END PORTHOLE BUNDLE-----\n`;
}

describe("a bundle", () => {
  it("brings back keys and relays, without invites, with a passphrase or without", async () => {
    for (const secret of [undefined, passphrase]) {
      const text = await formatBundle(bundle, secret);
      assert.ok(isBundle(text));
      assert.deepEqual(asData(await parseBundle(text, "f", secret)), { ...asData(bundle), relays: [relay] });
    }
  });

  it("tells nothing without its passphrase, and is another text each time", async () => {
    const text = await formatBundle(bundle, passphrase);
    assert.notEqual(text, await formatBundle(bundle, passphrase));
    assert.ok(!Buffer.from(text.split("\n").slice(1, -2).join(""), "base64").includes("relay.example.com"));
    await assert.rejects(parseBundle(text, "f"), key(/takes a passphrase/));
    await assert.rejects(parseBundle(text, "f", new Secret("wrong")), key(/does not open/));
  });

  it("notices each changed byte", async () => {
    const lines = (await formatBundle(bundle, passphrase)).split("\n");
    const bytes = Buffer.from(lines.slice(1, -2).join(""), "base64");
    for (const index of [0, 28, bytes.length - 1]) {
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ 1;
      const text = [lines[0], changed.toString("base64"), ...lines.slice(-2)].join("\n");
      await assert.rejects(parseBundle(text, "f", passphrase), key(/does not open/), String(index));
    }
  });

  const good = { form: "porthole bundle 1", identities: [{ name: "primary", pem: primary.pem }], relays: [] };
  for (const [what, text] of [
    ["nothing", ""],
    ["its half", made({ form: "porthole bundle 1" }).slice(0, 50)],
    ["an encrypted stump", "-----BEGIN ENCRYPTED PORTHOLE BUNDLE-----\nAAAA\n-----END ENCRYPTED PORTHOLE BUNDLE-----"],
    ["no JSON", "-----BEGIN PORTHOLE BUNDLE-----\nAAAA\n-----END PORTHOLE BUNDLE-----"],
    ["another form", made({ ...good, form: "porthole bundle 2" })],
    ["no list", made({ ...good, identities: "all" })],
    ["a name that leads elsewhere", made({ ...good, identities: [{ name: "tunnels/../../x", pem: primary.pem }] })],
    ["a name twice", made({ ...good, identities: [...good.identities, ...good.identities] })],
    ["a key that is none", made({ ...good, identities: [{ name: "primary", pem: "x" }] })],
    ["a relay that is none", made({ ...good, relays: [{ host: 1 }] })],
    ["a pin that is none", made({ ...good, relays: [{ host: "a", port: 1, pin: "x" }] })],
  ] as const)
    it(`refuses ${what}`, async () => {
      await assert.rejects(parseBundle(text, "the file", passphrase), key(/the file/));
    });

  it("is told from a key", async () => {
    assert.ok(!isBundle(primary.pem));
    assert.deepEqual(asData(await parseBundle(made(good), "f")), {
      identities: [["primary", primary.pem]],
      relays: [],
    });
  });
});
