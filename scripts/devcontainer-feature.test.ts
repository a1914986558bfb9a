import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { platformReason, skipUnless } from "@porthole/testing/skip";
import { version } from "../common/src/version.ts";

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), "devcontainer-feature", "src", "porthole");
const script = join(folder, "install.sh");

interface Feature {
  readonly id: string;
  readonly version: string;
  readonly mounts: readonly { readonly target: string }[];
  readonly containerEnv: Readonly<Record<string, string>>;
}

describe("the Dev Container Feature", function () {
  this.timeout(60_000);

  before(function () {
    skipUnless(this, process.platform === "linux", platformReason("Containers are Linux"));
  });

  it("keeps keys where its volume is, and has our version", async () => {
    const feature = JSON.parse(await readFile(join(folder, "devcontainer-feature.json"), "utf8")) as Feature;
    assert.equal(feature.id, "porthole");
    assert.equal(feature.version, version);
    assert.deepEqual(
      feature.mounts.map(({ target }) => target),
      [feature.containerEnv["PORTHOLE_STATE_DIR"]],
    );
    assert.ok((await readFile(script, "utf8")).includes(`state=${feature.containerEnv["PORTHOLE_STATE_DIR"]}\n`));
  });

  it("makes a folder that is the user's alone", function () {
    skipUnless(this, process.getuid?.() === 0, platformReason("Only root may mount"));
    const command = `mount -t tmpfs none /var/lib && _REMOTE_USER=nobody VERSION=none sh '${script}' && stat -c '%U %a' /var/lib/porthole`;
    const { stdout, stderr } = spawnSync("unshare", ["--mount", "sh", "-c", command], { encoding: "utf8" });
    assert.equal(stdout, "nobody 700\n", stderr);
  });

  it("says what it needs when there is no Node", function () {
    skipUnless(this, process.getuid?.() === 0, platformReason("Only root may mount"));
    // Only what the script needs is on the path.
    const command = [
      "mount -t tmpfs none /var/lib && mkdir /var/lib/bin",
      "for each in sh mkdir chown chmod; do ln -s $(command -v $each) /var/lib/bin/$each; done",
      `PATH=/var/lib/bin sh '${script}'`,
    ].join(" && ");
    const { stderr, status } = spawnSync("unshare", ["--mount", "sh", "-c", command], { encoding: "utf8" });
    assert.equal(status, 1);
    assert.match(stderr, /needs Node 20\.18/);
  });
});
