/** What a check found out. */
export interface Finding {
  /** What was looked at: `dns`, `ports`, ... */
  readonly check: string;
  /**
   * `problem`: something does not work until it is changed. `advice`: it works, and could be better, or can't be told from
   * here. `skipped`: there was nothing to look at, or no way to.
   */
  readonly verdict: "ok" | "advice" | "problem" | "skipped";
  /** A sentence. */
  readonly text: string;
  /** What to do about it. */
  readonly fix?: string;
}

const marks = { ok: "ok     ", advice: "advice ", problem: "PROBLEM", skipped: "skipped" } as const;

/** For people: a line each, with the fix below it. */
export function describeFindings(findings: readonly Finding[]): string {
  return findings
    .flatMap(({ check, verdict, text, fix }) => [
      `${marks[verdict]}  ${check}: ${text}`,
      ...(fix === undefined ? [] : [`           ${fix}`]),
    ])
    .map((line) => `${line}\n`)
    .join("");
}
