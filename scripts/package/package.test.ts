import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildPrograms } from "@porthole/testing/built-programs";
import { verifyIntegrity } from "./npm-tarball.ts";
import { bundledPackages, noticesOf } from "./notices.ts";
import { extensionFiles, stage } from "./stage.ts";
import { labelOf, targets } from "./targets.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

describe("the extension's packages", function () {
  this.timeout(120_000);
  let scratch: string;
  let source: readonly string[];

  before(async () => {
    await buildPrograms();
    source = await extensionFiles(root);
  });
  beforeEach(async () => {
    scratch = await mkdtemp(join(tmpdir(), "porthole-stage-"));
  });
  afterEach(() => rm(scratch, { recursive: true, force: true }));

  for (const target of targets) {
    it(`has no native code but its own: ${labelOf(target)}`, async () => {
      const folder = join(scratch, "extension");
      await mkdir(folder);
      const bundled = [join(root, "node_modules", "valibot")];
      await stage({ root, files: source, folder, scratch, target, bundled });
      const files = await readdir(folder, { recursive: true });
      const native = target.native === undefined ? [] : [`dist/node_modules/${target.native}/node.napi.node`];
      assert.deepEqual(
        files.filter((file) => file.endsWith(".node")),
        native,
      );
      for (const file of ["README.md", "CHANGELOG.md", "LICENSE", "package.nls.de.json", "dist/extension/daemon.mjs"])
        assert.ok(files.includes(file), file);
      const strange = files.filter((file) =>
        /\.(ts|map|LEGAL\.txt)$|^(scripts|test|testing|common|tunnel|relay|client)/.test(file),
      );
      assert.deepEqual(strange, []);
      const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Record<string, unknown>;
      assert.ok(files.includes(String(manifest["main"]).slice(2)));
      // The editor's page of the extension follows no relative addresses.
      const readme = await readFile(join(folder, "README.md"), "utf8");
      const links = [...readme.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
      assert.ok(links.length > 5);
      assert.deepEqual(
        links.filter((link) => !link.startsWith("https://")),
        [],
      );
      for (const key of ["repository", "bugs", "qna", "galleryBanner"]) assert.ok(key in manifest, key);
      assert.ok(!("workspaces" in manifest) && !("devDependencies" in manifest));
      const notices = await readFile(join(folder, "ThirdPartyNotices.txt"), "utf8");
      assert.match(notices, /valibot[^]*MIT/);
      assert.equal(notices.includes("quiche"), target.native !== undefined);
    });
  }

  it("take nothing that the lock file does not know", () => {
    const integrity = "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==";
    verifyIntegrity(new Uint8Array(), integrity, "nothing");
    assert.throws(() => verifyIntegrity(randomBytes(8), integrity, "x@1"), /x@1 is not what package-lock.json demands/);
  });

  it("name the licence of everything that is bundled", async () => {
    const meta = JSON.parse(await readFile(join(root, "dist/extension/meta.json"), "utf8")) as {
      readonly outputs: Readonly<Record<string, { readonly inputs: object }>>;
      readonly pictures: readonly string[];
    };
    const inputs = Object.values(meta.outputs).flatMap((output) => Object.keys(output.inputs));
    const folders = bundledPackages([...inputs, ...meta.pictures]);
    assert.ok(folders.includes("node_modules/axios") && folders.length > 10, folders.join(" "));
    assert.ok(folders.includes("node_modules/@vscode/codicons"));
    const notices = noticesOf(
      folders.map((folder) => join(root, folder)),
      false,
    );
    for (const folder of folders) assert.ok(notices.includes(folder.slice("node_modules/".length)), folder);
  });
});
