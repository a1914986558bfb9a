import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { version } from "../../common/src/version.ts";
import { stageEngine } from "../package/engine.ts";
import { unpackPackage, type LockFile } from "../package/npm-tarball.ts";

const run = promisify(execFile);

/** A processor as Node names it, and as Debian does. There is no native code of QUIC for arm64: HTTP/2 only. */
export interface Architecture {
  readonly node: "x64" | "arm64";
  readonly debian: "amd64" | "arm64";
  readonly engine: string | undefined;
}

export const architectures: readonly Architecture[] = [
  { node: "x64", debian: "amd64", engine: "@matrixai/quic-linux-x64" },
  { node: "arm64", debian: "arm64", engine: undefined },
];

/** Makes the relay's tarball and Debian package for each processor, from what is built. Needs tar and dpkg-deb. Returns the paths. */
export async function makeArchives(root: string, folder: string, wanted = architectures): Promise<readonly string[]> {
  const made: string[] = [];
  for (const architecture of wanted) {
    const scratch = await mkdtemp(join(tmpdir(), "porthole-archive-"));
    try {
      const name = `porthole-relay-${version}-linux-${architecture.node}`;
      await stageProgram(root, join(scratch, name), scratch, architecture);
      const tarball = join(folder, `${name}.tar.gz`);
      await run("tar", ["--owner=0", "--group=0", "-czf", tarball, "-C", scratch, name], { timeout: 300_000 });
      await stageDebian(root, join(scratch, name), join(scratch, "debian"), architecture);
      const debian = join(folder, `porthole-relay_${version}_${architecture.debian}.deb`);
      const words = ["--root-owner-group", "-Zzstd", "-z6", "--build", join(scratch, "debian"), debian];
      await run("dpkg-deb", words, { timeout: 300_000 });
      made.push(tarball, debian);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
  return made;
}

/** `bin/porthole-relay`, and in `lib` the bundle, QUIC's native code and a Node of its own. */
async function stageProgram(
  root: string,
  folder: string,
  scratch: string,
  { node, engine }: Architecture,
): Promise<void> {
  const lib = join(folder, "lib", "porthole-relay");
  await mkdir(lib, { recursive: true });
  const built = join(root, "relay", "dist");
  for (const name of await readdir(built)) if (/[.](mjs|txt)$/.test(name)) await cp(join(built, name), join(lib, name));
  if (engine !== undefined) await stageEngine(root, join(lib, "node_modules"), engine, scratch);
  const tools = JSON.parse(await readFile(join(root, "test/release/tools/package-lock.json"), "utf8")) as LockFile;
  const unpacked = join(scratch, "node");
  await unpackPackage(tools, `node-linux-${node}`, unpacked, scratch);
  await rename(join(unpacked, "bin", "node"), join(lib, "node"));
  await cp(join(unpacked, "LICENSE"), join(lib, "LICENSE.node"));
  await cp(join(root, "LICENSE"), join(folder, "LICENSE"));
  await cp(join(root, "relay", "README.md"), join(folder, "README.md"));
  await cp(join(root, "packaging", "porthole-relay.service"), join(folder, "porthole-relay.service"));
  await mkdir(join(folder, "bin"));
  await cp(join(root, "packaging", "porthole-relay.sh"), join(folder, "bin", "porthole-relay"));
  await chmod(join(folder, "bin", "porthole-relay"), 0o755);
}

/** The same tree under /usr, with the unit, and the user that it runs as. */
async function stageDebian(root: string, program: string, folder: string, { debian }: Architecture): Promise<void> {
  const doc = join(folder, "usr", "share", "doc", "porthole-relay");
  const units = join(folder, "lib", "systemd", "system");
  for (const each of [doc, units, join(folder, "DEBIAN")]) await mkdir(each, { recursive: true });
  await cp(join(program, "bin"), join(folder, "usr", "bin"), { recursive: true });
  await cp(join(program, "lib"), join(folder, "usr", "lib"), { recursive: true });
  await cp(join(program, "LICENSE"), join(doc, "copyright"));
  const unit = await readFile(join(program, "porthole-relay.service"), "utf8");
  await writeFile(join(units, "porthole-relay.service"), unit.replace("/usr/local/bin/", "/usr/bin/"));
  for (const name of ["control", "postinst", "prerm", "postrm"]) {
    const text = await readFile(join(root, "packaging", "debian", name), "utf8");
    await writeFile(join(folder, "DEBIAN", name), text.replace("$VERSION", version).replace("$ARCHITECTURE", debian));
    if (name !== "control") await chmod(join(folder, "DEBIAN", name), 0o755);
  }
}
