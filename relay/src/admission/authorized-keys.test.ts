import assert from "node:assert/strict";
import { once, EventEmitter } from "node:events";
import { mkdtemp, rename, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateKey } from "@porthole/common/identity";
import type { Logger } from "@porthole/common/log";
import { authorizedKeys, parseAuthorizedKeys, type AuthorizedKeys } from "./authorized-keys.ts";

const [one, two] = [generateKey(), generateKey()];

describe("a list of authorized keys", () => {
  it("has client ids and fingerprints in any spelling, comments and blank lines", () => {
    const hex = Buffer.alloc(32, 0xab).toString("hex");
    const keys = parseAuthorizedKeys(
      `# team\n${one.clientId} # a laptop\n\n  ${two.fingerprint.toUpperCase()}\r\n${hex}\n`,
      "keys.txt",
    );
    assert.equal(keys.size, 3);
    assert.ok(keys.has(one.clientId) && keys.has(two.fingerprint));
  });

  for (const line of ["ssh-rsa AAAA", one.clientId.slice(1), `${one.clientId} ${two.clientId}`]) {
    it(`does not have lines like ${line.slice(0, 20)}`, () => {
      assert.throws(() => parseAuthorizedKeys(`# first\n${line}`, "keys.txt"), {
        code: "usage",
        message: /^keys\.txt, line 2: /,
      });
    });
  }
});

describe("the file with authorized keys", () => {
  const happened = new EventEmitter();
  const errors: string[] = [];
  const log: Logger = {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error(_fields, message) {
      errors.push(message);
      happened.emit("error-logged");
    },
  };
  let folder: string;
  let path: string;
  let keys: AuthorizedKeys | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-keys-"));
    path = join(folder, "keys.txt");
    await writeFile(path, one.clientId);
    keys = await authorizedKeys(path, log, () => happened.emit("reread"));
  });
  afterEach(async () => {
    keys?.close();
    errors.length = 0;
    await rm(folder, { recursive: true });
  });

  it("knows who is in it", () => {
    assert.deepEqual([keys?.isAllowed(one), keys?.isAllowed(two)], [true, false]);
  });

  it("is reread when it is written, and when another takes its place", async () => {
    let reread = once(happened, "reread");
    await writeFile(path, two.fingerprint);
    await reread;
    assert.deepEqual([keys?.isAllowed(one), keys?.isAllowed(two)], [false, true]);
    reread = once(happened, "reread");
    await writeFile(join(folder, "new"), one.fingerprint);
    await rename(join(folder, "new"), path);
    await reread;
    assert.deepEqual([keys?.isAllowed(one), keys?.isAllowed(two)], [true, false]);
  });

  it("keeps everyone in when it is emptied only to be written again", async () => {
    const lists: boolean[] = [];
    const listen = (): void => void lists.push(keys?.isAllowed(one) ?? false);
    happened.on("reread", listen);
    const reread = once(happened, "reread");
    await truncate(path);
    await writeFile(path, `${one.clientId}\n${two.clientId}\n`);
    await reread;
    happened.off("reread", listen);
    assert.deepEqual(lists, [true]);
  });

  for (const [what, damage] of [
    ["makes no sense any more", () => writeFile(path, "nonsense")],
    ["is gone", () => rm(path)],
  ] as const) {
    it(`leaves the old list in force when it ${what}`, async () => {
      const logged = once(happened, "error-logged");
      await damage();
      await logged;
      assert.match(errors[0] ?? "", /keys\.txt.*; the old list stays in force$/);
      assert.equal(keys?.isAllowed(one), true);
    });
  }

  it("must be there, and make sense, when the relay starts", async () => {
    await assert.rejects(
      authorizedKeys(join(folder, "none"), log, () => {}),
      { code: "state", message: /none/ },
    );
    await writeFile(join(folder, "wrong"), "nonsense");
    await assert.rejects(
      authorizedKeys(join(folder, "wrong"), log, () => {}),
      { code: "usage", message: /line 1/ },
    );
  });
});
