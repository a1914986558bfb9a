import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { buildPrograms } from "@porthole/testing/built-programs";
import { isCi } from "@porthole/testing/skip";
import { buildNative } from "./native/build.ts";
import { provision } from "./provision.ts";
import { planJobs, suites, testFiles, type Suite } from "./test/plan.ts";
import { report } from "./test/report.ts";
import { runGroup } from "./test/run-group.ts";
import { runJobs, type JobResult } from "./test/run-jobs.ts";

/**
 * `npm test`: every test there is. `npm test -- PATH... [mocha's options]` runs some, `--suite=unit|e2e|editor` those of a part,
 * `--full` takes the sizes of the nightly run, `--verbose` lists the slowest, `--jobs=N` sets how many processes run side by side.
 * The last line is always `N passed, N failed, N skipped`.
 */

/** Against what hangs: a run on a busy machine is slow, not wrong. */
const deadlineMinutes = { small: 90, full: 300 };
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const durationsFile = join(root, ".cache", "test-durations.json");
const optionsWithValue = ["-g", "--grep", "-f", "--fgrep", "-t", "--timeout", "-s", "--slow", "--retries"];

/** Tests that run over the native QUIC engine, where there is one. */
const usesNative = /quic|network/;

interface Arguments {
  readonly paths: readonly string[];
  readonly mochaArgs: readonly string[];
  readonly suite: string | undefined;
  readonly isFull: boolean;
  readonly isVerbose: boolean;
  readonly width: number;
}

async function main(): Promise<boolean> {
  const { paths, mochaArgs, suite, isFull, isVerbose, width } = parseArguments(process.argv.slice(2));
  const folders = paths.length > 0 ? paths : suite === undefined ? Object.values(suites).flat() : foldersOf(suite);
  const lastMs = readDurations();
  const jobs = planJobs([...new Set(folders.flatMap((folder) => testFiles(root, folder)))], lastMs);
  const isEndToEnd = jobs.some(({ name }) => name.startsWith("test/"));
  if (isEndToEnd) provision();
  if (jobs.some(({ files }) => files.some((file) => usesNative.test(file)))) prepareNative(isFull);

  const stop = new AbortController();
  const minutes = isFull ? deadlineMinutes.full : deadlineMinutes.small;
  const deadline = setTimeout(
    () => stop.abort(new Error(`The tests took more than ${minutes} minutes`)),
    minutes * 60_000,
  );
  const onSignal = (name: NodeJS.Signals): void => stop.abort(new Error(`Interrupted by ${name}`));
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  // Processes of one run share what takes long to make; see testing/src/once-per-run.ts.
  const shared = mkdtempSync(join(tmpdir(), "porthole-run-"));
  process.env["PORTHOLE_TEST_RUN"] = shared;
  const env = {
    ...process.env,
    NODE_COMPILE_CACHE: join(root, ".cache", "compile"),
    ...(isFull ? { PORTHOLE_TEST_SIZE: "full" } : {}),
  };
  const isLive = jobs.length === 1;
  const colors = process.stdout.isTTY && !isLive ? ["--color"] : [];
  try {
    if (isEndToEnd) await buildPrograms();
    const results = await runJobs(jobs, {
      width,
      signal: stop.signal,
      run: ({ files }) =>
        runGroup({
          ...{ root, files, mochaArgs: [...colors, ...mochaArgs], signal: stop.signal, env },
          output: isLive ? "inherit" : "keep",
        }),
      onResult({ job, durationMs, output }) {
        if (!isLive) console.log(`== ${job.name} (${(durationMs / 1_000).toFixed(1)} s)\n${output.trimEnd()}\n`);
      },
    });
    if (!mochaArgs.some((arg) => /^(-g|--grep|-f|--fgrep)/.test(arg))) writeDurations(lastMs, results);
    const cut = stop.signal.aborted && results.length < jobs.length;
    const more = cut ? [{ title: `${(stop.signal.reason as Error).message}; not all tests ran` }] : [];
    return report(results, more, isVerbose);
  } finally {
    clearTimeout(deadline);
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    rmSync(shared, { recursive: true, force: true });
  }
}

function prepareNative(isFull: boolean): void {
  // Its tests are not yet stable on a busy machine (docs/decisions/quic-native-engine.md), so the short run does without.
  const native = isFull ? buildNative("fast") : { built: false, why: "npm run test:full has them" };
  if (!native.built) console.log(`Tests of the native QUIC engine are skipped: ${native.why}\n`);
}

function foldersOf(suite: string): readonly string[] {
  if (!(suite in suites)) throw new Error(`There is no suite ${suite}, only ${Object.keys(suites).join(", ")}`);
  return suites[suite as Suite];
}

function readDurations(): Record<string, number> {
  try {
    return JSON.parse(readFileSync(durationsFile, "utf8")) as Record<string, number>;
  } catch {
    return {};
  }
}

function writeDurations(last: Readonly<Record<string, number>>, results: readonly JobResult[]): void {
  const now = Object.fromEntries(results.map(({ job, durationMs }) => [job.name, Math.round(durationMs)]));
  mkdirSync(dirname(durationsFile), { recursive: true });
  writeFileSync(durationsFile, `${JSON.stringify({ ...last, ...now }, undefined, 2)}\n`);
}

function parseArguments(args: readonly string[]): Arguments {
  const paths: string[] = [];
  const mochaArgs = isCi() ? ["--forbid-only"] : [];
  const own = new Map<string, string>();
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    const [, name, value = ""] = /^--(verbose|full|suite|jobs)(?:=(.*))?$/.exec(arg) ?? [];
    if (name !== undefined) own.set(name, value);
    else if (optionsWithValue.includes(arg)) mochaArgs.push(arg, args[++i] ?? "");
    else if (arg.startsWith("-")) mochaArgs.push(arg);
    else paths.push(relative(root, resolve(process.env["INIT_CWD"] ?? "", arg)));
  }
  return {
    ...{ paths, mochaArgs, suite: own.get("suite"), isFull: own.has("full"), isVerbose: own.has("verbose") },
    // Many tests wait more than they work.
    width: Number(own.get("jobs") ?? availableParallelism() + 2),
  };
}

process.exitCode = (await main()) ? 0 : 1;
