/** Bounds and deadlines of the processes of one relay. Times are in milliseconds. */
export const limits = {
  /** Processes of one relay. */
  maxWorkers: 64,
  /** Between the end of a worker and the start of the next one. */
  restart: { firstMs: 100, maxMs: 10_000 },
  /** A worker that has run for this time is restarted without a pause. */
  stableAfterMs: 60_000,
  /** The answer of a worker. */
  answerMs: 4_000,
  /** A worker that has been asked to end, beyond the time for its visitors. */
  endMs: 10_000,
} as const;
