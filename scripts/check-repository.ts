import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { linkProblems } from "./markdown-links.ts";
import { proseProblems } from "./prose.ts";

/** What neither the compiler nor the linter looks at: the lock file, versions, undeclared packages, what no file may name, links, and prose. */

interface Manifest {
  readonly bin?: unknown;
  readonly name?: string;
  readonly workspaces?: readonly string[];
  readonly dependencies?: Versions;
  readonly devDependencies?: Versions;
  readonly optionalDependencies?: Versions;
}
type Versions = Readonly<Record<string, string>>;

interface LockedPackage {
  readonly resolved?: string;
  /** A link to a workspace; `resolved` is its folder. */
  readonly link?: boolean;
  readonly dependencies?: Versions;
  readonly optionalDependencies?: Versions;
}

interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const notOurs = new Set([".git", ".cache", "node_modules", "dist", "test-results", "api-pages", "target"]);
const running = /^(common|tunnel|relay|client|extension)\/src\/(?!.*\.test\.ts$)/;

/** Files with sentences of ours in them. The projects of frameworks are as their makers write them. */
const prose = /^(?!test\/frameworks\/projects\/).*(\.(ts|mjs|md|yml|css|sh)|package\.nls\.json)$/;
/** Written so that they don't find themselves. */
const forbidden: readonly {
  readonly text: RegExp;
  readonly where?: (path: string) => boolean;
  readonly why: string;
}[] = [
  { text: /(?<![\w.:\]])[/](work|root)[/]/, why: "names a folder of one machine" },
  { text: /[.][.][/]shared[/]/, why: "needs a folder outside this repository" },
  { text: /https?:[/][/][^/\s]*\bregistry\b[^/\s]*/, why: "names a package registry's host" },
  {
    // Texts of the library reach the editor, too, which has no flags. Comments and the tools that make flags are free to name them.
    text: /^(?!\s*(?:[/]{2}|[/]?[*])).*["'`](?:[^"'`]*[\s(])?-{2}[a-z][a-z-]+/,
    where: (path) => /^(common|tunnel)\/src\/(?!options\/|inspector\/export-curl)(?!.*\.test\.ts$)/.test(path),
    why: "names a flag of the command line; use setting() of errors.ts",
  },
  {
    text: /["']@matrixai[/]/,
    where: (path) => running.test(path) && !path.startsWith("common/src/link/quic/"),
    why: "loads native QUIC; only common/src/link/quic and its tests may",
  },
];

/** A file of running code has one idea. */
const maxLines = 300;
/** What only clients need. axios, which orders certificates at both ends, installs proxy-from-env at both. */
const neverInRelay = ["valibot", "vscode-jsonrpc", "@porthole/tunnel"];

const problems = [
  ...lockFileProblems(),
  ...relayProblems(),
  ...manifestProblems(),
  ...importProblems(),
  ...textProblems(),
  ...pageProblems(),
];
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

function lockFileProblems(): string[] {
  const { packages } = readJson("package-lock.json") as LockFile;
  return Object.entries(packages).flatMap(([path, { resolved = "", optionalDependencies = {} }]) => {
    const missing = Object.keys(optionalDependencies).filter(
      (name) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages),
    );
    return [
      ...(resolved.startsWith("http")
        ? [`package-lock.json: ${path} has an address; set omit-lockfile-registry-resolved`]
        : []),
      ...missing.map(
        (name) => `package-lock.json: ${path} lacks ${name}, so npm ci fails; is it to be had in that version?`,
      ),
    ];
  });
}

/** A relay is installed without the client's libraries. */
function relayProblems(): string[] {
  const installed = dependencyTree("relay");
  return neverInRelay
    .filter((name) => installed.has(name))
    .map((name) => `package-lock.json: @porthole/relay installs ${name}, which only clients need`);
}

/** Returns the names of all packages that are installed with a workspace, as the lock file has them. */
function dependencyTree(workspace: string): ReadonlySet<string> {
  const { packages } = readJson("package-lock.json") as LockFile;
  const visited = new Set<string>();
  const names = new Set<string>();
  const visit = (path: string): void => {
    if (visited.has(path)) return;
    visited.add(path);
    const { link, resolved, dependencies, optionalDependencies } = packages[path] ?? {};
    if (link && resolved !== undefined) return visit(resolved);
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      names.add(name);
      visit(lockedPath(packages, path, name));
    }
  };
  visit(workspace);
  return names;
}

/** Returns where Node finds the package from a folder: in its own node_modules, or in the nearest one above. */
function lockedPath(packages: LockFile["packages"], from: string, name: string): string {
  const path = join(from, "node_modules", name).replaceAll(sep, "/");
  if (path in packages) return path;
  if (from === "") throw new Error(`package-lock.json lacks ${name}`);
  const parent = dirname(from);
  return lockedPath(packages, parent === "." ? "" : parent, name);
}

function manifestProblems(): string[] {
  const paths = ["", ...((readJson("package.json") as Manifest).workspaces ?? [])].map((folder) =>
    join(folder, "package.json"),
  );
  return paths.flatMap((path) => {
    const { dependencies, devDependencies, optionalDependencies } = readJson(path) as Manifest;
    return Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
      .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
      .map(([name, version]) => `${path}: ${name} is not pinned to a version: ${version}`);
  });
}

/** In the workspace every package is found from every folder; where one is installed by itself, only those that it declares. */
function importProblems(): string[] {
  return ["common", "tunnel", "relay", "client"].flatMap((folder) => {
    const { bin, dependencies, devDependencies } = readJson(join(folder, "package.json")) as Manifest;
    // A command is published as a bundle, which has in it what it was built with.
    const found = { ...dependencies, ...(bin === undefined ? {} : devDependencies) };
    return filesIn(`${folder}/src`)
      .filter((path) => running.test(path))
      .flatMap((path) => {
        const content = readFileSync(join(root, path), "utf8");
        return [...content.matchAll(/^(?:import|export|\}).* from "(@[\w-]+\/[\w-]+|[\w-][^/":]*)["/]/gm)]
          .map(([, name = ""]) => name)
          .filter((name) => !(name in found))
          .map((name) => `${path} imports ${name}, which is not in ${folder}/package.json`);
      });
  });
}

function textProblems(): string[] {
  return filesIn("").flatMap((path) => {
    const content = readFileSync(join(root, path), "utf8");
    if (content.includes("\0")) return [];
    const lines = content
      .split("\n")
      .flatMap((line, index) =>
        forbidden
          .filter(({ text, where }) => (where?.(path) ?? true) && text.test(line))
          .map(({ why }) => `${path}:${index + 1} ${why}`),
      );
    if (running.test(path) && lineCount(content) > maxLines)
      lines.push(`${path} has more than ${maxLines} lines: part it by its ideas`);
    return [...lines, ...(prose.test(path) ? proseProblems(path, content) : [])];
  });
}

function pageProblems(): string[] {
  const pages = filesIn("")
    .filter((path) => path.endsWith(".md"))
    .map((path) => [path, readFileSync(join(root, path), "utf8")] as const);
  return linkProblems({ pages: new Map(pages), exists: (path) => existsSync(join(root, path)) });
}

function lineCount(content: string): number {
  return content.split("\n").length - 1;
}

function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter(({ name }) => !notOurs.has(name))
    .flatMap((entry) => {
      const path = join(folder, entry.name).replaceAll(sep, "/");
      if (entry.isDirectory()) return filesIn(path);
      return entry.isFile() && existsSync(join(root, path)) ? [path] : [];
    });
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(root, path), "utf8"));
}
