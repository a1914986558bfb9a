import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { engineNotice } from "./engine-notice.ts";

interface PackageManifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name?: string };
}

/** The folders of the packages that a bundle is made of: its inputs as esbuild's metafile lists them. */
export function bundledPackages(inputs: readonly string[]): readonly string[] {
  const folders = inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []);
  return [...new Set(folders)].toSorted();
}

/** Names, versions and licences of the packages in `folders`, for a file that goes with the bundle. */
export function noticesOf(folders: readonly string[], withEngine: boolean): string {
  const parts = folders.map((folder) => {
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as PackageManifest;
    return section(`${manifest.name} ${manifest.version}`, licenceText(folder, manifest));
  });
  return [
    "This package contains software of others, with their licences below.\n",
    ...parts,
    ...(withEngine ? [section("Native code of @matrixai/quic", engineNotice)] : []),
  ].join("\n");
}

function section(title: string, text: string): string {
  return `${"-".repeat(78)}\n${title}\n${"-".repeat(78)}\n\n${text.trim()}\n`;
}

/** Throws for a package that does not say under which licence it is. */
function licenceText(folder: string, { name, license, author }: PackageManifest): string {
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)(\.|-|$)/i.test(file));
  const texts = files.filter((file) => existsSync(join(folder, file))).map((file) => readText(join(folder, file)));
  if (texts.length > 0) return texts.join("\n\n");
  if (license === undefined) throw new Error(`${name} in ${folder} has no licence`);
  const by = typeof author === "string" ? author : author?.name;
  return `Licence: ${license}${by === undefined ? "" : `\nAuthor: ${by}`}`;
}

function readText(path: string): string {
  return readFileSync(path, "utf8").replaceAll("\r\n", "\n").trim();
}
