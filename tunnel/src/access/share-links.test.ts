import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FakeClock } from "@porthole/testing";
import { fileShareLinks } from "./share-link-file.ts";
import { ShareLinks } from "./share-links.ts";

const hour = 3_600_000;

describe("share links", () => {
  let folder: string;
  let path: string;
  let clock: FakeClock;
  const open: ShareLinks[] = [];

  async function openLinks(): Promise<ShareLinks> {
    const links = await ShareLinks.open(fileShareLinks(path), clock);
    open.push(links);
    return links;
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-share-"));
    path = join(folder, "share-links.json");
    clock = new FakeClock();
  });
  afterEach(async () => {
    for (const links of open.splice(0)) links.close();
    assert.equal(clock.pending, 0);
    await rm(folder, { recursive: true });
  });

  it("open for the token and for nothing else", async () => {
    const links = await openLinks();
    const { token, link } = await links.create({ label: "for Ada" });
    assert.equal(links.find(token)?.link.label, "for Ada");
    const other = await links.create({});
    const [id] = token.split(".");
    const [, secret] = other.token.split(".");
    for (const wrong of ["", "x", link.id, `${id}.${secret}`, `${token}A`, ` ${token}`, token.toUpperCase()])
      assert.equal(links.find(wrong), undefined, wrong);
  });

  it("end on time and tell who is inside", async () => {
    const links = await openLinks();
    const { token } = await links.create({ forMs: 2 * hour });
    const found = links.find(token);
    await clock.advance(2 * hour - 1);
    assert.equal(found?.until.aborted, false);
    assert.ok(links.find(token));
    await clock.advance(1);
    assert.equal(found?.until.aborted, true);
    assert.equal(links.find(token), undefined);
    assert.deepEqual(links.list(), []);
  });

  it("end on time also when that is further away than a timer reaches", async () => {
    const links = await openLinks();
    const { token } = await links.create({ forMs: 60 * 24 * hour });
    await clock.advance(59 * 24 * hour);
    assert.ok(links.find(token));
    await clock.advance(24 * hour);
    assert.equal(links.find(token), undefined);
  });

  it("are revoked at once", async () => {
    const links = await openLinks();
    const { token, link } = await links.create({ forMs: hour });
    const until = links.find(token)?.until;
    assert.equal(await links.revoke(link.id), true);
    assert.equal(until?.aborted, true);
    assert.equal(links.find(token), undefined);
    assert.equal(await links.revoke(link.id), false);
    assert.equal((await openLinks()).find(token), undefined);
  });

  it("outlive a restart, without the token in the file", async () => {
    const before = await openLinks();
    const { token } = await before.create({ label: "stays" });
    const { token: short } = await before.create({ forMs: hour });
    await clock.advance(hour);
    const after = await openLinks();
    assert.equal(after.find(token)?.link.label, "stays");
    assert.equal(after.find(short), undefined);
    const text = await readFile(path, "utf8");
    assert.ok(!text.includes(token.split(".")[1] ?? "-"));
    if (process.platform !== "win32") assert.equal((await stat(path)).mode & 0o777, 0o600);
  });

  it("are made or not at all", async () => {
    await writeFile(join(folder, "file"), "");
    const links = await ShareLinks.open(fileShareLinks(join(folder, "file", "links.json")), clock).catch(
      () => undefined,
    );
    assert.equal(links, undefined);
    const failing = await ShareLinks.open(
      { load: async () => [], save: () => Promise.reject(new Error("disk full")) },
      clock,
    );
    await assert.rejects(failing.create({ forMs: hour }), /disk full/);
    assert.deepEqual(failing.list(), []);
  });

  for (const damaged of ["{}", "{", '{"links":[{"id":"x"}]}', '{"links":[null]}'])
    it(`say that the file is damaged: ${damaged}`, async () => {
      await writeFile(path, damaged);
      await assert.rejects(openLinks(), { code: "state" });
      assert.equal(await readFile(path, "utf8"), damaged);
    });

  for (const forMs of [0, -1, Number.NaN, 1e15])
    it(`don't hold for ${forMs} ms`, async () => {
      await assert.rejects((await openLinks()).create({ forMs }), { code: "usage" });
    });
});
