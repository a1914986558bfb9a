import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const shell = process.platform === "win32";

/** The workspaces that are published, each after those that it needs. */
export const published = ["common", "tunnel", "relay", "client"] as const;

/** A door leads to a file, or for each condition to one. */
type Exports = Readonly<Record<string, string | Readonly<Record<string, string>>>>;
interface Manifest extends Readonly<Record<string, unknown>> {
  readonly name: string;
  readonly version: string;
  readonly exports: Exports;
}

/** Packs the workspaces into `folder` as npm's users get them, from what is built. Returns the paths, in the order of `published`. */
export async function packPackages(root: string, folder: string): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const scratch = await mkdtemp(join(tmpdir(), "porthole-pack-"));
  try {
    return await Promise.all(
      published.map(async (workspace) => {
        const place = join(scratch, workspace);
        await mkdir(place);
        await run("tar", ["-xzf", await pack(join(root, workspace), place), "-C", place]);
        const path = join(place, "package", "package.json");
        const manifest = JSON.parse(await readFile(path, "utf8")) as Manifest;
        const files = await readdir(join(place, "package"), { recursive: true });
        await writeFile(path, `${JSON.stringify(publishedManifest(manifest, files), null, 2)}\n`);
        return pack(join(place, "package"), folder);
      }),
    );
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function pack(source: string, destination: string): Promise<string> {
  const words = ["pack", "--silent", "--ignore-scripts", "--pack-destination", destination];
  const { stdout } = await run("npm", words, { cwd: source, shell, timeout: 120_000 });
  return join(destination, basename(stdout.trim()));
}

/** Without what only a checkout has: sources, and what builds and tests them. Each door is named, so that other tools can check it. */
export function publishedManifest(manifest: Manifest, files: readonly string[]): Manifest {
  const { devDependencies: _, exports, ...rest } = manifest;
  const doors = Object.entries(exports).flatMap(([door, target]): [string, Exports[string]][] => {
    if (typeof target === "string") return [[door, target]];
    const { source: _source, ...targets } = target;
    if (!door.includes("*")) return [[door, targets]];
    const [before = "", after = ""] = (targets["types"] ?? "").slice(2).split("*");
    return files
      .map((file) => file.replaceAll("\\", "/"))
      .filter((file) => file.startsWith(before) && file.endsWith(after) && file.length > before.length + after.length)
      .map((file) => file.slice(before.length, -after.length))
      .map((name) => [door.replace("*", name), filled(targets, name)]);
  });
  return { ...rest, exports: Object.fromEntries(doors) };
}

function filled(targets: Readonly<Record<string, string>>, name: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(targets).map(([condition, path]) => [condition, path.replace("*", name)]));
}

/** Publishes the packages that the registry does not have in this version, so that a release that broke off can be continued. */
export async function publishPackages(tarballs: readonly string[], options: readonly string[]): Promise<void> {
  const manifests = await Promise.all(
    tarballs.map(async (path) => {
      const { stdout } = await run("tar", ["-xzOf", path, "package/package.json"]);
      return { path, manifest: JSON.parse(stdout) as Manifest };
    }),
  );
  const isNeededBy = (manifest: Manifest): number =>
    Object.keys((manifest["dependencies"] as object | undefined) ?? {}).filter((name) =>
      manifests.some((each) => each.manifest.name === name),
    ).length;
  for (const { path, manifest } of manifests.toSorted((a, b) => isNeededBy(a.manifest) - isNeededBy(b.manifest))) {
    const { name, version } = manifest;
    const isThere = await run("npm", ["view", `${name}@${version}`, "version", ...options], { shell }).then(
      ({ stdout }) => stdout.trim() === version,
      (reason: { readonly stderr?: string }) => {
        if (/E404/.test(reason.stderr ?? "")) return false;
        throw reason;
      },
    );
    if (!isThere) await run("npm", ["publish", path, ...options], { shell, timeout: 300_000 });
    console.log(`${name}@${version} ${isThere ? "was there" : "is published"}`);
  }
}
