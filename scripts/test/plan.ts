import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** The parts of `npm test`, each with the folders or files that it consists of. */
export const suites = {
  /** Beside their sources. They need no programs but Node's. */
  unit: ["common", "tunnel", "relay", "client", "extension", "testing", "scripts", "bench"],
  e2e: [
    ...["test/certificates", "test/client", "test/docs", "test/frameworks", "test/hostile", "test/network"],
    ...["test/relay", "test/release", "test/rpc", "test/visitors"],
  ],
  editor: ["test/editor"],
} as const;

export type Suite = keyof typeof suites;

/** What runs in one process, and is printed in one piece. */
export interface Job {
  readonly name: string;
  /** Relative to the root. */
  readonly files: readonly string[];
}

/** Unit tests that take as long as an end-to-end file: processes that hang and starve. */
const slow = ["relay/src/quic-worker/quic-worker.test.ts"];
/** Unit tests of a package share processes: most of them take less time than the start of one. */
const filesPerUnitJob = 14;
/** What a job is taken to need that no run before has measured; the longest of them by name. */
const unknownMs = 20_000;
const longMs = 60_000;

/** Files that take half a minute and more, the longest first. They begin first where no run before has measured them, as in a new checkout. */
const long = [
  ...["network/network", "editor/windows", "editor/looks", "editor/flow", "editor/host", "editor/project"],
  ...["editor/others", "frameworks/frameworks", "editor/requests", "editor/requests-layout", "editor/ways"],
  ...["editor/relays", "editor/proxy", "client/shutdown", "visitors/transparency/transparency"],
  ...["visitors/transparency/clients", "client/packages", "visitors/unread-answers", "certificates/renewals"],
  ...["certificates/certificates"],
].map((name) => `test/${name}.test.ts`);

/** An end-to-end file is a job of its own. What took longest the last time begins first. */
export function planJobs(files: readonly string[], lastMs: Readonly<Record<string, number>> = {}): Job[] {
  const isLarge = (file: string): boolean => file.startsWith("test/") || slow.includes(file);
  const large = files.filter(isLarge);
  const units = files.filter((file) => !isLarge(file));
  const packages = Map.groupBy(units, (file) => file.split("/", 1)[0] as string);
  const jobs = [
    ...large.map((file) => ({ name: file, files: [file] })),
    ...[...packages].flatMap(([name, ofPackage]) => unitJobs(name, ofPackage)),
  ];
  const expectedMs = ({ name }: Job): number => {
    const rank = [...long.toReversed(), ...slow].indexOf(name);
    return lastMs[name] ?? (rank < 0 ? unknownMs : longMs + rank);
  };
  return jobs.toSorted((a, b) => expectedMs(b) - expectedMs(a));
}

/** Neighbours are dealt out to different jobs: slow files come in groups. */
function unitJobs(name: string, files: readonly string[]): Job[] {
  const count = Math.ceil(files.length / filesPerUnitJob);
  return Array.from({ length: count }, (_, part) => ({
    name: count === 1 ? name : `${name} ${part + 1}/${count}`,
    files: files.filter((_file, index) => index % count === part),
  }));
}

/** The test files in a folder, or the one file; relative to the root. A folder that isn't there has none. */
export function testFiles(root: string, path: string): string[] {
  const absolute = join(root, path);
  if (!existsSync(absolute)) return [];
  if (!statSync(absolute).isDirectory()) return [path];
  return readdirSync(absolute, { withFileTypes: true })
    .filter((entry) => !["node_modules", "dist"].includes(entry.name))
    .flatMap((entry) => (entry.isDirectory() ? testFiles(root, join(path, entry.name)) : [join(path, entry.name)]))
    .filter((file) => file.endsWith(".test.ts"))
    .toSorted();
}
