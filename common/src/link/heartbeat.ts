import { PortholeError } from "../errors.ts";
import type { Clock, Timer } from "../util/clock.ts";
import { limits } from "./limits.ts";

export interface HeartbeatOptions {
  readonly clock: Clock;
  /** An idle client sends, an idle relay only watches, so that 10,000 idle clients cost it one answer each. */
  readonly role: "send" | "watch";
  ping(n: number): void;
  /** Round trip by the transport; the heartbeat's own measurement serves where there is none. */
  rttMs(): number | undefined;
  onDead(error: PortholeError): void;
}

/** An answer that takes this many round trips does not come. */
const patienceRoundTrips = 4;

/**
 * Whether the peer is there. While nothing is sent it looks every few seconds; once something is sent it looks several times a
 * second until anything has come back, so that a link that has gone dark is found out by the first visitor. What counts is
 * intervals in which nothing came, not time: a process that was stopped has not been listening.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  // Made when there is one: a link is idle most of the time.
  #listeners: Set<(isSilent: boolean) => void> | undefined;
  #probes: ((isThere: boolean) => void)[] | undefined;
  #timer: Timer | undefined;
  #intervalMs = 0;
  #heard = true;
  #sent = false;
  /** Since when nothing was heard, in whole intervals; undefined while nothing is awaited. */
  #awaitedMs: number | undefined;
  #deadMs: number = limits.linkSilence.deadMs;
  #isSilent = false;
  #isOver = false;
  #pingNumber = 0;
  #pingSentAt = 0;
  #rttMs: number | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#arm(limits.heartbeatIntervalMs);
  }

  /** True when what was sent has been unanswered for longer than `suspectMs` and four round trips. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  rttMs(): number | undefined {
    return this.#options.rttMs() ?? this.#rttMs;
  }

  /** Calls with every change of `isSilent`. Returns a function that ends that. */
  onSilence(listener: (isSilent: boolean) => void): () => void {
    const listeners = (this.#listeners ??= new Set());
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** Something has come from the peer, or a full queue towards it has moved. */
  heard(): void {
    this.#heard = true;
    this.#sent = false;
    this.#deadMs = limits.linkSilence.deadMs;
    this.#settleProbes(true);
    if (this.#isSilent) this.#setSilent(false);
  }

  /** Something has left that the peer will answer in some way. */
  sent(): void {
    if (this.#sent) return;
    this.#sent = true;
    if (this.#isIdle) this.#attend();
  }

  /** Asks now, and resolves to whether anything comes in time. */
  probe(): Promise<boolean> {
    if (this.#isOver || this.#isSilent) return Promise.resolve(false);
    if (this.#isIdle) this.#attend();
    this.#ask();
    return new Promise((resolve) => (this.#probes ??= []).push(resolve));
  }

  /** Asks now, and has less patience until anything comes. */
  suspect(): void {
    const { movedMs, deadMs } = limits.linkSilence;
    this.#deadMs = Math.min(Math.max(movedMs, this.#patienceMs()), deadMs);
    void this.probe();
  }

  onPong(n: number): void {
    if (n === this.#pingNumber) this.#rttMs = this.#options.clock.monotonic() - this.#pingSentAt;
  }

  stop(): void {
    this.#isOver = true;
    this.#timer?.cancel();
    this.#settleProbes(false);
    this.#listeners?.clear();
  }

  get #isIdle(): boolean {
    return this.#intervalMs === limits.heartbeatIntervalMs;
  }

  readonly #beat = (): void => {
    if (this.#heard) this.#awaitedMs = undefined;
    else if (this.#awaitedMs !== undefined) this.#awaitedMs += this.#intervalMs;
    const awaitedMs = this.#awaitedMs ?? 0;
    if (awaitedMs >= this.#deadMs) {
      this.#options.onDead(new PortholeError("timeout", `No sign of life for ${awaitedMs / 1_000} s`));
      return;
    }
    if (awaitedMs >= this.#patienceMs()) this.#setSilent(true);
    const mustAsk = this.#isIdle
      ? this.#options.role === "send" || !this.#heard
      : !this.#heard && (this.#sent || this.#awaitedMs !== undefined);
    this.#heard = false;
    if (mustAsk) this.#ask();
    if (!this.#isOver) this.#arm(mustAsk || this.#sent ? limits.heartbeatAttentiveMs : limits.heartbeatIntervalMs);
  };

  /** Starts to check often, until something has come. */
  #attend(): void {
    if (this.#isOver) return;
    this.#heard = false;
    this.#awaitedMs = 0;
    this.#arm(limits.heartbeatAttentiveMs);
  }

  #ask(): void {
    this.#heard = false;
    this.#awaitedMs ??= 0;
    this.#pingNumber += 1;
    this.#pingSentAt = this.#options.clock.monotonic();
    this.#options.ping(this.#pingNumber);
  }

  #patienceMs(): number {
    return Math.max(limits.linkSilence.suspectMs, patienceRoundTrips * (this.rttMs() ?? 0));
  }

  #setSilent(isSilent: boolean): void {
    if (this.#isSilent === isSilent) return;
    this.#isSilent = isSilent;
    if (isSilent) this.#settleProbes(false);
    for (const listener of this.#listeners ?? []) listener(isSilent);
  }

  #settleProbes(isThere: boolean): void {
    const probes = this.#probes;
    this.#probes = undefined;
    for (const settle of probes ?? []) settle(isThere);
  }

  #arm(intervalMs: number): void {
    this.#timer?.cancel();
    this.#intervalMs = intervalMs;
    this.#timer = this.#options.clock.timer(intervalMs, this.#beat);
  }
}
