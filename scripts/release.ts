import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { version } from "../common/src/version.ts";
import { packPackages, publishPackages } from "./release/npm-packages.ts";
import { makeArchives } from "./release/relay-archives.ts";
import { changelogWith, notesOf, problemsOf, versionedFiles, withVersion } from "./release/version.ts";

/**
 * What .github/workflows/release.yml does, step by step: CONTRIBUTING.md says how a release is made. Files go to dist/release.
 *
 * version X.Y.Z       sets it everywhere and closes the changelog's section; to be committed and tagged vX.Y.Z
 * check [vX.Y.Z]      fails unless files, changelog and tag agree
 * notes               prints the version's part of the changelog
 * packages            makes the npm packages of what `npm run build` has built
 * archives            makes the relay's Debian packages and tarballs, each with its own Node
 * publish [OPTION...] publishes the npm packages that the registry has not yet; npm takes the options
 */

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, "dist", "release");

async function main([command, ...args]: readonly string[]): Promise<void> {
  const changelog = await readFile(join(root, "CHANGELOG.md"), "utf8");
  switch (command) {
    case "version":
      return setVersion(args[0] ?? "", changelog);
    case "check": {
      const problems = problemsOf({ version, changelog, tag: args[0] });
      if (problems.length > 0) throw new Error(problems.join("\n"));
      return;
    }
    case "notes":
      return console.log(notesOf(changelog, version) ?? notesOf(changelog, "Unreleased"));
    case "packages":
      await rm(folder, { recursive: true, force: true });
      return list(await packPackages(root, folder));
    case "archives":
      await mkdir(folder, { recursive: true });
      return list(await makeArchives(root, folder));
    case "publish": {
      const tarballs = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
      return publishPackages(
        tarballs.map((name) => join(folder, name)),
        args,
      );
    }
    default:
      throw new Error("npm run release -- version X.Y.Z | check [TAG] | notes | packages | archives | publish");
  }
}

async function setVersion(next: string, changelog: string): Promise<void> {
  const date = new Date().toISOString().slice(0, 10);
  const released = changelogWith(changelog, next, date);
  for (const name of versionedFiles) {
    const path = join(root, name);
    await writeFile(path, withVersion(await readFile(path, "utf8"), version, next));
  }
  await writeFile(join(root, "CHANGELOG.md"), released);
  execFileSync("npm", ["install", "--package-lock-only", "--ignore-scripts", "--no-audit"], {
    cwd: root,
    stdio: "ignore",
  });
  console.log(
    `Now: git commit --all --message "release: ${next}" && git tag v${next} && git push origin main v${next}`,
  );
}

async function list(paths: readonly string[]): Promise<void> {
  for (const path of paths)
    console.log(`${String(Math.round((await stat(path)).size / 1_000)).padStart(6)} kB  ${basename(path)}`);
}

await main(process.argv.slice(2));
