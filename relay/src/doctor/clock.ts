import http from "node:http";
import https from "node:https";
import { PortholeError } from "@porthole/common/errors";
import { failed, formatDuration, ok, skipped, withDeadline, type Clock } from "@porthole/common/util";
import type { Check } from "./check.ts";

const id = "clock";
const askMs = 5_000;
/** A certificate authority's answers are dated to the second, and take a moment. */
const toleratedMs = 60_000;

/**
 * Compares this machine's clock with the Date of a server's answer. Certificates are not checked: with a wrong clock none would be
 * valid, and nothing is believed but the time.
 */
export async function checkClock(url: string, clock: Clock, parent: AbortSignal): Promise<Check> {
  const { host } = new URL(url);
  try {
    const options = { clock, delayMs: askMs, what: `The time from ${host}`, signal: parent };
    const theirs = await withDeadline(options, (signal) => dateOf(url, signal));
    const differenceMs = clock.now() - theirs;
    if (Math.abs(differenceMs) <= toleratedMs) return { id, ...ok(`agrees with ${host}`) };
    const direction = differenceMs > 0 ? "ahead of" : "behind";
    return {
      id,
      ...failed(
        `is ${formatDuration(Math.abs(differenceMs))} ${direction} that of ${host}`,
        "Set it, and keep it right: timedatectl set-ntp true. Certificates are not valid yet, or not any more, by a wrong clock.",
      ),
    };
  } catch (reason) {
    return { id, ...skipped(`no time from ${host}: ${PortholeError.from(reason).message}`) };
  }
}

async function dateOf(url: string, signal: AbortSignal): Promise<number> {
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    const options = { method: "HEAD", signal, agent: false } as const;
    const request = url.startsWith("https:")
      ? https.request(url, { ...options, rejectUnauthorized: false }, resolve)
      : http.request(url, options, resolve);
    request.on("error", (cause) => reject(new PortholeError("unreachable", cause.message, { cause })));
    request.end();
  });
  response.resume();
  const time = Date.parse(response.headers.date ?? "");
  response.destroy();
  if (Number.isNaN(time)) throw new PortholeError("protocol", "its answer has no date");
  return time;
}
