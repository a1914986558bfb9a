/** What the mocha process reports to the one that started it. */
export type TestEvent =
  | { readonly type: "started"; readonly title: string }
  | { readonly type: "passed"; readonly title: string; readonly durationMs: number }
  | { readonly type: "failed"; readonly title: string; readonly detail: string }
  | { readonly type: "skipped"; readonly title: string; readonly reason: string | undefined }
  | { readonly type: "ended" }
  | { readonly type: "leaked"; readonly handles: readonly string[] };
