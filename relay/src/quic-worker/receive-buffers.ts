import type { TransportStream } from "@porthole/common/link";
import type { EngineName } from "@porthole/common/link/quic";
import type { Clock } from "@porthole/common/util";

/** An engine's window of one stream in bytes: at the start, and how it grows with the visitor's speed. */
export interface StreamWindows {
  readonly first: number;
  readonly initial: number;
  readonly max: number;
}

/** quiche's own numbers (0.18, flowcontrol.rs), and ours for the first bytes of a stream and for the largest window. */
const quicheWindows: StreamWindows = { first: 32 * 1024, initial: 256 * 1024, max: 4 * 1024 * 1024 };
/** The native engine's window is fixed, and it holds a little beside it (native/src/stream.rs). */
const nativeWindow = 2 * 1024 * 1024 + 256 * 1024;
export const streamWindows: Readonly<Record<EngineName, StreamWindows>> = {
  quiche: quicheWindows,
  native: { first: nativeWindow, initial: nativeWindow, max: nativeWindow },
};

/** The engine doubles a window that is used up within two round trips. We don't know them; no path that anyone likes is longer. */
const fastMs = 1_000;
/** A visitor that has taken nothing for this time does not read; others are only slow. */
const stalledMs = 10_000;

interface Reader {
  window: number;
  sinceUpdate: number;
  updatedAt: number;
}

interface Stopped {
  /** Bytes that it may hold. */
  readonly bytes: number;
  readonly sinceMs: number;
}

export interface HeldBounds {
  readonly perLink: number;
  readonly inAll: number;
}

/**
 * Bounds what clients can make the QUIC worker hold, one link and all of them. The engine keeps what a client has sent until the visitor takes
 * it: a window for each stream, which has grown with the visitor's speed, and the window of the whole connection is of no use
 * (config.ts in link/quic). So the windows of the streams whose visitors have stopped are added up, as they can be at most.
 */
export class ReceiveBuffers {
  readonly #clock: Clock;
  readonly #bounds: HeldBounds;
  readonly #windows: StreamWindows;
  /** Those that hold anything. */
  readonly #links = new Set<LinkReceiveBuffer>();
  #total = 0;

  constructor(clock: Clock, bounds: HeldBounds, windows: StreamWindows = quicheWindows) {
    this.#clock = clock;
    this.#windows = windows;
    this.#bounds = bounds;
  }

  /** `onExcess`: this stream of the link has to be dropped. */
  link(onExcess: (stream: TransportStream) => void): LinkReceiveBuffer {
    const link = new LinkReceiveBuffer({
      clock: this.#clock,
      windows: this.#windows,
      onExcess,
      onChange: (bytes) => this.#onChange(link, bytes),
    });
    return link;
  }

  #onChange(link: LinkReceiveBuffer, bytes: number): void {
    this.#total += bytes;
    if (link.total > 0) this.#links.add(link);
    else this.#links.delete(link);
    if (bytes < 0) return;
    while (link.total > this.#bounds.perLink) link.giveUp();
    while (this.#total > this.#bounds.inAll)
      [...this.#links].reduce((one, other) => (other.total > one.total ? other : one)).giveUp();
  }
}

interface LinkReceiveBufferOptions {
  readonly clock: Clock;
  readonly windows: StreamWindows;
  readonly onExcess: (stream: TransportStream) => void;
  /** Holds so much more, or less. */
  readonly onChange: (bytes: number) => void;
}

/** Accounts for the bytes that one link holds. */
export class LinkReceiveBuffer {
  readonly #options: LinkReceiveBufferOptions;
  /** Those whose visitors have stopped, the longest first. */
  readonly #stopped = new Map<TransportStream, Stopped>();
  #total = 0;

  constructor(options: LinkReceiveBufferOptions) {
    this.#options = options;
  }

  get total(): number {
    return this.#total;
  }

  /** `stream` is piped to where the visitor is, which pauses it while the visitor does not read. */
  watch(stream: TransportStream): void {
    const now = this.#options.clock.monotonic();
    const reader: Reader = { window: this.#options.windows.first, sinceUpdate: 0, updatedAt: now };
    stream.on("data", (chunk: Buffer) => this.#onRead(reader, chunk.length));
    stream.on("pause", () => this.#stop(stream, Math.max(this.#options.windows.initial, reader.window)));
    // Node tells of it a little later, when it may be paused again.
    stream.on("resume", () => {
      if (!stream.isPaused()) this.#go(stream);
    });
    stream.on("end", () => this.#go(stream));
    stream.on("close", () => this.#go(stream));
  }

  /** Drops the largest of those that are not read, or of all when all are read. */
  giveUp(): void {
    const { clock, onExcess } = this.#options;
    const all = [...this.#stopped];
    const stalled = all.filter(([, { sinceMs }]) => clock.monotonic() - sinceMs >= stalledMs);
    const [worst] = (stalled.length > 0 ? stalled : all).reduce((one, other) =>
      other[1].bytes > one[1].bytes ? other : one,
    );
    this.#go(worst);
    onExcess(worst);
  }

  #onRead(reader: Reader, bytes: number): void {
    reader.sinceUpdate += bytes;
    if (reader.sinceUpdate < reader.window / 2) return;
    const now = this.#options.clock.monotonic();
    if (now - reader.updatedAt < fastMs) reader.window = Math.min(2 * reader.window, this.#options.windows.max);
    reader.sinceUpdate = 0;
    reader.updatedAt = now;
  }

  #stop(stream: TransportStream, bytes: number): void {
    // A pipe pauses its source also when both are over.
    if (stream.destroyed || stream.readableEnded || this.#stopped.has(stream)) return;
    this.#stopped.set(stream, { bytes, sinceMs: this.#options.clock.monotonic() });
    this.#change(bytes);
  }

  #go(stream: TransportStream): void {
    const { bytes = 0 } = this.#stopped.get(stream) ?? {};
    this.#stopped.delete(stream);
    if (bytes > 0) this.#change(-bytes);
  }

  #change(bytes: number): void {
    this.#total += bytes;
    this.#options.onChange(bytes);
  }
}
