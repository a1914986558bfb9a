import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateKey } from "@porthole/common/identity";
import { parseInvite } from "@porthole/common/invite";
import { readOptions } from "@porthole/common/options";
import { tunnelSettings } from "./config.ts";
import { JoinedRelays } from "./joined-relays.ts";
import { clientOptions } from "./options.ts";

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
  const settings = (joined: JoinedRelays, ...argv: string[]) =>
    tunnelSettings(readOptions(clientOptions, argv, {}).values, joined.all).servers.map(({ text, trust, token }) => [
      text,
      trust?.kind,
      token?.reveal(),
    ]);

  it("are remembered, for nobody else's eyes, the token until it was used", async () => {
    const joined = await reopened();
    await joined.add(one);
    await joined.add(two);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal((await reopened()).find(one.relay)?.token?.reveal(), "first");
    await joined.forgetToken(one.relay);
    const again = await reopened();
    assert.deepEqual(again.all[0], { host: "one.example", port: 4433, pin });
    assert.equal(again.find(two.relay)?.token?.reveal(), "second");
    assert.ok(!(await readFile(path, "utf8")).includes("first"));
  });

  it("are there once each: a new invite takes the place of the old one", async () => {
    const joined = await reopened();
    for (const invite of [one, two, { ...one, pin: undefined }]) await joined.add(invite);
    assert.deepEqual(
      (await reopened()).all.map(({ host, pin }) => [host, pin]),
      [
        ["::1", undefined],
        ["one.example", undefined],
      ],
    );
  });

  it("can be removed", async () => {
    const joined = await reopened();
    await joined.add(one);
    assert.deepEqual([await joined.remove(one.relay), await joined.remove(one.relay)], [true, false]);
    assert.deepEqual((await reopened()).all, []);
  });

  it("are changed as they are on disk by now", async () => {
    const [running, command] = [await reopened(), await reopened()];
    await running.add(one);
    await command.add(two);
    await running.forgetToken(one.relay);
    assert.equal((await reopened()).all.length, 2);
  });

  it("are used when no relay is named, and known again when they are", async () => {
    const joined = await reopened();
    await joined.add(one);
    await joined.add(two);
    const used = [
      ["one.example:4433", "pin", "first"],
      ["[::1]:5000", undefined, "second"],
    ];
    assert.deepEqual(settings(joined), used);
    assert.deepEqual(settings(joined, "--server", "one.example"), used.slice(0, 1));
    assert.deepEqual(settings(joined, "--server", "other.example"), [["other.example:4433", undefined, undefined]]);
    assert.deepEqual(
      settings(joined, "--insecure").map(([, trust]) => trust),
      ["insecure", "insecure"],
    );
  });

  it("are needed when none is named", async () => {
    const joined = await reopened();
    assert.throws(() => settings(joined), { code: "usage", message: /--server/, hint: /porthole join/ });
  });

  for (const damage of ["{", "[]", "{}", '{"relays":[{"host":"a"}]}', '{"relays":[{"host":"a","port":1,"pin":"x"}]}']) {
    it(`are not forgotten when the file is damaged: ${damage}`, async () => {
      await writeFile(path, damage);
      await assert.rejects(reopened(), { code: "state", message: /joined-relays\.json is damaged/ });
      assert.equal(await readFile(path, "utf8"), damage);
    });
  }
});
