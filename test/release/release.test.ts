import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { buildPackages } from "@porthole/testing/built-programs";
import { run, start, startCli, useScope, type Output } from "@porthole/testing/end-to-end";
import { isFull } from "@porthole/testing/size";
import { platformReason, skipUnless } from "@porthole/testing/skip";
import { packPackages, publishPackages } from "../../scripts/release/npm-packages.ts";
import { architectures, makeArchives } from "../../scripts/release/relay-archives.ts";
import { freshMachine, nodeProgram, releaseTools, startRegistry, type Registry } from "./registry.ts";

const root = join(import.meta.dirname, "../..");
const elfMagic = Buffer.from("\x7fELF");
/** The machine of a program in ELF, as in its header. */
const elfArm64 = 183;

describe("A release", function () {
  this.timeout(900_000);
  const suite = useScope({ lasts: "suite" });
  let tarballs: readonly string[];

  before(async function () {
    skipUnless(
      this,
      isFull,
      platformReason("npm run test:full has it: it installs a registry and three versions of Node"),
    );
    const isLinux = process.platform === "linux" && process.arch === "x64";
    skipUnless(this, isLinux, platformReason("the programs of Node that it takes are those of Linux on x64"));
    releaseTools();
    await buildPackages();
    tarballs = await packPackages(root, await suite.folder());
  });

  it("has packages that publint and attw find nothing wrong with", async () => {
    const tools = [
      ["publint", "src/cli.js", "run", "--strict"],
      // Every door is an ES module, and no types are written for programs that can't load those.
      ["@arethetypeswrong/cli", "dist/index.js", "--profile", "esm-only"],
    ] as const;
    for (const tarball of tarballs)
      for (const [name, program, ...args] of tools) {
        const words = [join(releaseTools(), name, program), ...args, tarball];
        const { code, stdout, stderr } = await run(nodeProgram(24), words);
        assert.equal(code, 0, `${name} ${tarball}\n${stdout}${stderr}`);
      }
  });

  describe("from a registry", () => {
    let registry: Registry;
    before(async () => {
      registry = await startRegistry(suite);
      const options = ["--userconfig", registry.npmrc, "--registry", registry.url, "--no-provenance"];
      await publishPackages(tarballs, options);
      // What a release does that broke off and is run again.
      await publishPackages(tarballs, options);
    });

    for (const series of [20, 22, 24])
      it(`installs and runs on Node ${series}, on a machine that has nothing of ours`, async () => {
        const { home, env } = await freshMachine(suite, series, registry);
        const at = (...words: [string, ...string[]]): Promise<Output> =>
          run(words[0], words.slice(1), { env, cwd: home });

        const { stdout: node } = await at("node", "--version");
        assert.match(node, new RegExp(`^v${series}[.]`));
        const domain = "tunnel.example.com";
        const ports = ["--api-port", "0", "--pub-port", "0", "--alpn-port", "0", "--http-port", "0"];
        const setup = await at("npx", "--yes", "@porthole/relay", "setup", "--domain", domain, "--no-acme", ...ports);
        assert.equal(setup.code, 0, setup.stdout + setup.stderr);
        assert.match(setup.stdout, /porthole join 'porthole:\/\/join\?relay=tunnel\.example\.com/);

        const install = await at("npm", "install", "--global", "porthole");
        assert.equal(install.code, 0, install.stderr);
        assert.ok((await readdir(join(home, "bin"))).includes("porthole"));
        const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
        assert.equal((await at("porthole", "--version")).stdout.trim(), version);

        for (const words of [["porthole"], ["npx", "--yes", "porthole"]] as const) {
          // A terminal sends Ctrl-C to npx and the program alike, and they are a process group of their own.
          const demo = start(suite, "setsid", [...words, "demo", "--api-port", "0", "--pub-port", "0"], {
            env,
            cwd: home,
          });
          await demo.line(/^Checked: .* status 200 /);
          assert.ok(
            demo.lines.some((line) => / over QUIC/.test(line)),
            demo.lines.join("\n"),
          );
          process.kill(-(demo.child.pid ?? assert.fail("it has not started")), "SIGINT");
          await demo.exited;
        }
      });
  });

  describe("without npm", () => {
    let tarball: string;
    let debian: string;
    let forArm: readonly string[];
    before(async () => {
      [tarball = "", debian = "", ...forArm] = await makeArchives(root, await suite.folder(), architectures);
    });

    it("has nothing but code for arm64 in the archives for arm64", async () => {
      assert.equal(forArm.length, 2);
      for (const archive of forArm) {
        const folder = await suite.folder();
        const isDebian = archive.endsWith(".deb");
        const unpack = isDebian ? ["dpkg-deb", "-x", archive, folder] : ["tar", "-xzf", archive, "-C", folder];
        assert.equal((await run(unpack[0] ?? "", unpack.slice(1))).code, 0);
        if (isDebian) assert.equal((await run("dpkg-deb", ["-f", archive, "Architecture"])).stdout.trim(), "arm64");
        const files = await readdir(folder, { recursive: true, withFileTypes: true });
        const machines: (readonly [string, number])[] = [];
        for (const file of files.filter((each) => each.isFile())) {
          const bytes = await readFile(join(file.parentPath, file.name));
          if (bytes.subarray(0, 4).equals(elfMagic)) machines.push([file.name, bytes.readUInt16LE(18)]);
        }
        assert.deepEqual(machines, [["node", elfArm64]]);
      }
    });

    it("is a tarball of the relay, with a Node of its own", async () => {
      const folder = await suite.folder();
      assert.equal((await run("tar", ["-xzf", tarball, "-C", folder, "--strip-components=1"])).code, 0);
      const env = { PATH: "/usr/bin:/bin", HOME: folder };
      const relay = start(
        suite,
        join(folder, "bin", "porthole-relay"),
        ["--api-port", "0", "--pub-port", "0", "--json"],
        { env },
      );
      const { api } = JSON.parse(await relay.line(/Relay is ready/)) as { readonly api: number };
      const client = startCli(suite, "client", [
        "--server",
        `127.0.0.1:${api}`,
        "--transport",
        "quic",
        "--state-dir",
        folder,
      ]);
      await client.line(/^online.*QUIC/);
      assert.equal((await client.kill("SIGTERM")).code, 0);
      assert.equal((await relay.kill("SIGTERM")).code, 0);
    });

    it("is a Debian package with a user, a unit, and commands that root can type", async function () {
      skipUnless(this, process.getuid?.() === 0, platformReason("only root can install a package"));
      const place = await suite.folder();
      const { code, stdout, stderr } = await run("unshare", [
        "--mount",
        "--net",
        "sh",
        "-euc",
        onThisDebian,
        "sh",
        place,
        debian,
      ]);
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /porthole join 'porthole:\/\/join\?relay=tunnel\.example\.com.*porthole join 'porthole/s);
      assert.match(stdout, /^porthole-relay:porthole-relay 700$/m);
      assert.match(stdout, /^ExecStart=\/usr\/bin\/porthole-relay /m);
      assert.match(stdout, /^ports: clients 4433, visitors 443,/m);
      assert.match(stdout, /^nothing is left$/m);
    });
  });
});

/** $1 an empty folder, $2 the package. Works on a copy of this system that forgets everything, with a network of its own. */
const onThisDebian = `
unset PORTHOLE_STATE_DIR
ip link set lo up
mount -t tmpfs tmpfs "$1"
mkdir "$1/up" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/up,workdir=$1/work" "$1/root"
cp "$2" "$1/root/porthole-relay.deb"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
exec chroot "$1/root" sh -euc '
dpkg --install /porthole-relay.deb
porthole-relay setup --domain tunnel.example.com --no-acme </dev/null
porthole-relay invite --label Ada
stat --format "%U:%G %a" /var/lib/porthole-relay
grep ^ExecStart /lib/systemd/system/porthole-relay.service
porthole-relay >/dev/null & relay=$!
for i in $(seq 60); do porthole-relay status && break; sleep 0.5; done
kill $relay
wait $relay
dpkg --purge porthole-relay
[ -e /var/lib/porthole-relay ] || echo nothing is left
'`;
