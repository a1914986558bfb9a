/** What was looked at, and what was found out; in the words of the client's doctor. */
export interface Check {
  readonly id: "dns" | "ports" | "udp" | "certificate" | "clock" | "files" | "tcp";
  /**
   * `failed`: something does not work until it is changed. `warning`: it works, and could be better, or can't be told from here.
   * `skipped`: there was nothing to look at, or no way to.
   */
  readonly status: "ok" | "warning" | "failed" | "skipped";
  /** A sentence, about the thing that `id` names. */
  readonly finding: string;
  /** What to do about it. */
  readonly fix?: string;
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
