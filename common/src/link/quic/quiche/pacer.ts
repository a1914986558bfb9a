/** quiche's BBR never asks for less than a packet a millisecond, and for no more than this: then there is nothing to pace. */
const unpacedQuantumBytes = 64 * 1024;
/** RFC 9002 section 7.7: a burst no larger than the initial window may always leave. */
const minBurstBytes = 10 * 1350;
/** Factor above BBR's rate. Pacing at exactly that rate loses a third of the speed at 1 % loss; with this it loses nothing. */
const headroom = 1.5;
/** A timer comes a millisecond or two late; what it missed may be made up for. */
const maxArrearsMs = 4;

/**
 * Spreads packets over time. BBR keeps twice what the path holds under way and relies on pacing; a whole window at once
 * overflows the queue of a slow link: it loses twice as many packets as with this, measured. quiche's own pacing is
 * out of reach (it says when a packet should leave in a form that JavaScript can't read), but its `sendQuantum` is what
 * BBR's rate makes of a millisecond. Pure: time is an argument.
 */
export class Pacer {
  #credit = minBurstBytes;
  #at = 0;

  /** How many bytes may leave now. */
  allowance(nowMs: number, quantumBytes: number): number {
    const earned = (nowMs - this.#at) * quantumBytes * headroom;
    this.#at = nowMs;
    // What leaves now is no debt for later: hundreds of megabytes of it would stop a path for good at its first loss.
    if (quantumBytes >= unpacedQuantumBytes) return (this.#credit = Number.POSITIVE_INFINITY);
    this.#credit = Math.min(this.#credit + earned, Math.max(minBurstBytes, maxArrearsMs * quantumBytes * headroom));
    return this.#credit;
  }

  /** Credit may become negative by a packet. */
  spend(bytes: number): void {
    this.#credit -= bytes;
  }
}
