/** The result of one check of a doctor. */
export interface Finding {
  /**
   * `failed`: something does not work until it is changed. `warning`: it works, and could be better, or can't be told from here.
   * `skipped`: there was nothing to check, or something before it has to be mended first.
   */
  readonly status: "ok" | "warning" | "failed" | "skipped";
  /** The finding, as a sentence. */
  readonly finding: string;
  /** The fix, as a sentence. */
  readonly fix?: string;
}

/** A check that found nothing wrong. */
export function ok(finding: string): Finding {
  return { status: "ok", finding };
}

/** A check that found something that works but can be better. */
export function warning(finding: string, fix?: string): Finding {
  return { status: "warning", finding, ...(fix === undefined ? {} : { fix }) };
}

/** A check that found a fault. */
export function failed(finding: string, fix?: string): Finding {
  return { status: "failed", finding, ...(fix === undefined ? {} : { fix }) };
}

/** A check that could not be made, with the reason. */
export function skipped(finding: string): Finding {
  return { status: "skipped", finding };
}
