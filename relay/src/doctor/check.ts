import type { Finding } from "@porthole/common/util";

/** One line of the doctor's report. `finding` is about the thing that `id` names. */
export interface Check extends Finding {
  readonly id: "dns" | "ports" | "udp" | "certificate" | "clock" | "files" | "tcp";
}

/** For people: a line each, with the fix below it. */
export function describeChecks(checks: readonly Check[]): string {
  return checks
    .flatMap(({ id, status, finding, fix }) => [
      `${(status === "failed" ? "FAILED" : status).padEnd(7)}  ${id}: ${finding}`,
      ...(fix === undefined ? [] : [`           ${fix}`]),
    ])
    .map((line) => `${line}\n`)
    .join("");
}
