import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateKey } from "../identity/index.ts";
import { Secret } from "../util/index.ts";
import { parseInvite } from "./invite.ts";
import { JoinedRelays } from "./joined-relays.ts";

const pin = generateKey().fingerprint;
const one = parseInvite(`porthole://join?relay=one.example&pin=${pin}&token=first`);
const two = parseInvite("porthole://join?relay=[::1]:5000&token=second");

describe("the relays that were joined", () => {
  let stateDir: string;
  let path: string;
  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), "porthole-joined-"));
    path = join(stateDir, "joined-relays.json");
  });
  afterEach(() => rm(stateDir, { recursive: true }));

  const reopened = () => JoinedRelays.open(stateDir);
  it("are remembered, for nobody else's eyes, the token until it was used", async () => {
    const joined = await reopened();
    await joined.join(one);
    await joined.join(two);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal((await reopened()).find(one.relay)?.token?.reveal(), "first");
    await joined.forgetToken(one.relay);
    const again = await reopened();
    assert.deepEqual(again.all[0], { host: "one.example", port: 4433, pin });
    assert.equal(again.find(two.relay)?.token?.reveal(), "second");
    assert.ok(!(await readFile(path, "utf8")).includes("first"));
  });

  it("keep the certificate authority that their invite names", async () => {
    const certificateDirectory = "https://ca.example/dir";
    await (await reopened()).join({ ...one, certificateDirectory });
    assert.equal((await reopened()).find(one.relay)?.certificateDirectory, certificateDirectory);
  });

  it("are there once each: a new invite takes the place of the old one", async () => {
    const joined = await reopened();
    for (const invite of [one, two, { ...one, pin: undefined }]) await joined.join(invite);
    assert.deepEqual(
      (await reopened()).all.map(({ host, pin }) => [host, pin]),
      [
        ["::1", undefined],
        ["one.example", undefined],
      ],
    );
  });

  it("may have a name that a person gave them, and be changed at once", async () => {
    const joined = await reopened();
    const token = new Secret("third");
    await Promise.all([
      joined.add({ host: "home.example", port: 443, label: "home", token }),
      joined.join(two),
      joined.forgetToken({ host: "home.example", port: 443 }),
    ]);
    const { all } = await reopened();
    assert.deepEqual(
      all.map((relay) => [relay.host, relay.label, relay.token?.reveal()]),
      [
        ["home.example", "home", undefined],
        ["::1", undefined, "second"],
      ],
    );
  });

  it("can be removed", async () => {
    const joined = await reopened();
    await joined.join(one);
    assert.deepEqual([await joined.remove(one.relay), await joined.remove(one.relay)], [true, false]);
    assert.deepEqual((await reopened()).all, []);
  });

  it("are changed as they are on disk by now", async () => {
    const [running, command] = [await reopened(), await reopened()];
    await running.join(one);
    await command.join(two);
    await running.forgetToken(one.relay);
    assert.equal((await reopened()).all.length, 2);
  });

  for (const damage of ["{", "[]", "{}", '{"relays":[{"host":"a"}]}', '{"relays":[{"host":"a","port":1,"pin":"x"}]}']) {
    it(`are not forgotten when the file is damaged: ${damage}`, async () => {
      await writeFile(path, damage);
      await assert.rejects(reopened(), { code: "state", message: /joined-relays\.json is damaged/ });
      assert.equal(await readFile(path, "utf8"), damage);
    });
  }
});
