import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isCi } from "@porthole/testing/skip";
import { provision } from "./provision.ts";
import { runGroup, type GroupResult } from "./test/run-group.ts";

/**
 * `npm test`: every test there is. `npm test -- PATH... [mocha's options]` runs some; `--verbose` lists the slowest.
 * The last line is always `N passed, N failed, N skipped`.
 */

const deadlineMs = 26 * 60_000;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Tests beside their sources first: they say more precisely what is broken. Each group is one process. */
const groups = [["common", "tunnel", "relay", "client", "extension", "testing", "scripts", "bench"], ["test"]];
const optionsWithValue = ["-g", "--grep", "-f", "--fgrep", "-t", "--timeout", "-s", "--slow", "--retries"];

interface Arguments {
  readonly paths: readonly string[];
  readonly mochaArgs: readonly string[];
  readonly verbose: boolean;
}

async function main(): Promise<number> {
  const { paths, mochaArgs, verbose } = parseArguments(process.argv.slice(2));
  const chosen = paths.length > 0 ? [paths.flatMap(testFiles)] : groups.map((folders) => folders.flatMap(testFiles));
  const endToEnd = chosen.flat().some((file) => file.startsWith(`test/`));
  if (endToEnd) provision();

  const signal = AbortSignal.timeout(deadlineMs);
  const tooLong = new AbortController();
  signal.addEventListener("abort", () =>
    tooLong.abort(new Error(`The tests took more than ${deadlineMs / 60_000} minutes`)),
  );
  const results: GroupResult[] = [];
  for (const files of chosen) {
    if (files.length === 0 || tooLong.signal.aborted) continue;
    results.push(await runGroup({ root, files, mochaArgs, signal: tooLong.signal }));
  }
  return report(results, verbose);
}

function report(results: readonly GroupResult[], verbose: boolean): number {
  const passed = results.flatMap((result) => result.passed);
  const skipped = results.flatMap((result) => result.skipped);
  const failed = results.flatMap((result) => result.failed);
  if (passed.length + failed.length + skipped.length === 0) failed.push("No test was found");
  const mute = skipped.filter(({ reason }) => reason === undefined);
  if (isCi()) failed.push(...mute.map(({ title }) => `Skipped without a reason (skipUnless gives one): ${title}`));

  if (verbose) {
    const slowest = passed.toSorted((a, b) => b.durationMs - a.durationMs).slice(0, 10);
    printList(
      "Slowest",
      slowest.map(({ title, durationMs }) => `${String(durationMs).padStart(6)} ms  ${title}`),
    );
  }
  const reasons = Map.groupBy(skipped, ({ reason }) => reason ?? "no reason given; CI does not accept this");
  printList(
    "Skipped",
    [...reasons].flatMap(([reason, tests]) => [`${reason}:`, ...tests.map(({ title }) => `  ${title}`)]),
  );
  printList("Failed", failed);
  console.log(`${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped`);
  return failed.length > 0 ? 1 : 0;
}

function printList(title: string, lines: readonly string[]): void {
  if (lines.length > 0) console.log(`${title}:\n${lines.map((line) => `  ${line}\n`).join("")}`);
}

function parseArguments(args: readonly string[]): Arguments {
  const paths: string[] = [];
  const mochaArgs = isCi() ? ["--forbid-only"] : [];
  let verbose = false;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    if (arg === "--verbose") verbose = true;
    else if (optionsWithValue.includes(arg)) mochaArgs.push(arg, args[++i] ?? "");
    else if (arg.startsWith("-")) mochaArgs.push(arg);
    else paths.push(relative(root, resolve(process.env["INIT_CWD"] ?? "", arg)));
  }
  return { paths, mochaArgs, verbose };
}

/** The test files in a folder, or the one file; relative to the root. A folder that isn't there has none. */
function testFiles(path: string): string[] {
  const absolute = join(root, path);
  if (!existsSync(absolute)) return [];
  if (!statSync(absolute).isDirectory()) return [path];
  return readdirSync(absolute, { withFileTypes: true })
    .filter((entry) => !["node_modules", "dist"].includes(entry.name))
    .flatMap((entry) => (entry.isDirectory() ? testFiles(join(path, entry.name)) : [join(path, entry.name)]))
    .filter((file) => file.endsWith(".test.ts"))
    .toSorted();
}

process.exitCode = await main();
