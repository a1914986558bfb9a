import { isCi } from "@porthole/testing/skip";
import type { Failure } from "./run-group.ts";
import type { JobResult } from "./run-jobs.ts";

/** Prints what all jobs together came to; the last line is always `N passed, N failed, N skipped`. True: nothing failed. */
export function report(results: readonly JobResult[], more: readonly Failure[], isVerbose: boolean): boolean {
  const passed = results.flatMap((result) => result.passed);
  const skipped = results.flatMap((result) => result.skipped);
  const failed = [
    ...results.flatMap((result) => result.failed.map((failure) => ({ ...failure, job: result.job.name }))),
    ...more.map((failure) => ({ ...failure, job: undefined })),
  ];
  if (passed.length + failed.length + skipped.length === 0) failed.push({ title: "No test was found", job: undefined });
  const mute = isCi() ? skipped.filter(({ reason }) => reason === undefined) : [];
  for (const { title } of mute)
    failed.push({ title: `Skipped without a reason (skipUnless gives one): ${title}`, job: undefined });

  if (isVerbose) {
    printList("Slowest tests", slowest(passed.map(({ title, durationMs }) => [title, durationMs])));
    printList("Slowest jobs", slowest(results.map(({ job, durationMs }) => [job.name, durationMs])));
  }
  const reasons = Map.groupBy(skipped, ({ reason }) => reason ?? "no reason given; CI does not accept this");
  printList(
    "Skipped",
    [...reasons].flatMap(([reason, tests]) => [`${reason}:`, ...tests.map(({ title }) => `  ${title}`)]),
  );
  printList(
    "Failed",
    failed.flatMap(({ job, title, detail }) => [job === undefined ? title : `${job}: ${title}`, ...excerpt(detail)]),
  );
  console.log(`${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped`);
  return failed.length === 0;
}

function slowest(durations: readonly (readonly [string, number])[]): string[] {
  return durations
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, 20)
    .map(([title, durationMs]) => `${String(Math.round(durationMs)).padStart(7)} ms  ${title}`);
}

/** The whole of it stands where the test ran. */
function excerpt(detail: string | undefined): string[] {
  const lines = (detail ?? "").split("\n").filter((line) => line.trim() !== "");
  return lines.slice(0, 12).map((line) => `    ${line.slice(0, 300)}`);
}

function printList(title: string, lines: readonly string[]): void {
  if (lines.length > 0) console.log(`${title}:\n${lines.map((line) => `  ${line}\n`).join("")}`);
}
