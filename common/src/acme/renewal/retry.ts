import type { ErrorCode, PortholeError } from "../../errors.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Pauses after the first, second ... failure in a row; the last one is for all that follow. */
const pausesMs = [1, 2, 2, 5, 10, 10, 20, 20, 30, 30, 60, 60, 120, 120, 180, 360].map((minutes) => minutes * minuteMs);
//  in all, in hours: .02 .05 .08 .2 .3 .5 .8  1.2 1.7 2.2 3.2 4.2  6.2  8.2  11   17

/** Let's Encrypt takes 5 failed validations an hour for one name and account; then it answers 429 for an hour. */
const maxInvalidAnHour = 5;

/** Failures that survive a restart, so that a program in a restart loop orders no faster than one that keeps running. */
export interface RetryState {
  /** How many failures there were in a row. */
  readonly failures: number;
  /** When validations failed, within the last hour. */
  readonly invalidAt: readonly number[];
  readonly failedAt?: number;
  /** An order was begun then and its end is not known. Written before it begins. */
  readonly startedAt?: number;
  /** Absent when nothing stands in the way; Infinity when somebody has to change something first. */
  readonly nextAttemptAt?: number;
  readonly lastError?: { readonly code: ErrorCode; readonly message: string; readonly hint?: string };
}

export const noFailures: RetryState = { failures: 0, invalidAt: [] };

export interface Failure {
  readonly error: PortholeError;
  readonly at: number;
  /** The authority tried to validate the name and could not. */
  readonly wasInvalid: boolean;
  /** A number from 0 to below 1 that lengthens the pause by up to a tenth, so that clients that failed together don't come back together. */
  readonly jitter: number;
}

/**
 * When to try again. A Retry-After of the authority's is always kept to, and so is its limit on failed validations. What only
 * the user can put right is not tried again before a restart.
 */
export function afterFailure(state: RetryState, { error, at, wasInvalid, jitter }: Failure): RetryState {
  const failures = state.failures + 1;
  const invalidAt = [...recent(state.invalidAt, at), ...(wasInvalid ? [at] : [])].slice(-maxInvalidAnHour);
  const pauseMs = (pausesMs[failures - 1] ?? pausesMs.at(-1) ?? 0) * (1 + jitter / 10);
  const usual = at + Math.max(pauseMs, error.retryAfterMs ?? 0);
  const oldest = invalidAt.length >= maxInvalidAnHour ? invalidAt[0] : undefined;
  const nextAttemptAt = oldest === undefined ? usual : Math.max(usual, oldest + hourMs);
  return {
    failures,
    invalidAt,
    failedAt: at,
    nextAttemptAt: needsUser(error) ? Number.POSITIVE_INFINITY : nextAttemptAt,
    lastError: { code: error.code, message: error.message, ...(error.hint !== undefined && { hint: error.hint }) },
  };
}

/** The same pause on a clock that was set back in the meantime; otherwise a year's mistake would be waited out. */
export function onClock(state: RetryState, now: number): RetryState {
  const { failedAt, nextAttemptAt } = state;
  if (failedAt === undefined || nextAttemptAt === undefined || failedAt <= now) return state;
  return {
    ...state,
    failedAt: now,
    nextAttemptAt: now + (nextAttemptAt - failedAt),
    invalidAt: state.invalidAt.map(() => now),
  };
}

function needsUser({ code }: PortholeError): boolean {
  return code === "usage" || code === "key";
}

function recent(times: readonly number[], now: number): readonly number[] {
  // A time in the future is from before the clock was set right.
  return times.filter((time) => time > now - hourMs && time <= now);
}
