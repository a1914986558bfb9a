/** Limits on one answer to an assistant. Its context is small, and visitors write most of the answer. */
export const assistantLimits = {
  /** Characters of a body. */
  maxBodyChars: 20_000,
  /** Characters of a header's value, or of a path. */
  maxTextChars: 2_000,
  maxHeaders: 100,
  maxRequests: 50,
  /** How long `porthole_wait_for_request` may wait. Many programs give a tool a minute. */
  maxWaitSeconds: 300,
  defaultWaitSeconds: 45,
  /** How long a replay's response is waited for. */
  replayMs: 30_000,
  /** A call of another process's tool, and its answer: a person may have to read a question first. */
  callMs: 15 * 60_000,
  maxCallBytes: 4 * 1024 * 1024,
  maxAnswerBytes: 64 * 1024 * 1024,
} as const;
