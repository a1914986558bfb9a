/** Limits of the QUIC worker: of its process, of what it holds, and of its tickets. */
export const workerLimits = {
  /** How often the worker sends a heartbeat. */
  beatMs: 1_000,
  /** The worker is restarted after this long without a heartbeat. Time in which it only waits for a processor does not count. */
  silenceMs: 3_000,
  /** How long the worker may take to start. */
  startMs: 10_000,
  /** The worker is restarted after this long even where it had no processor: its links are dead by then anyway. */
  starvedMs: 30_000,
  restart: { firstMs: 1_000, maxMs: 60_000, stableAfterMs: 60_000 },
  /** Maximum bytes that one link may make the worker hold for visitors that don't read. Beyond it one of them is dropped. */
  maxHeldBytesPerLink: 256 * 1024 * 1024,
} as const;

export const ticketLimits = {
  /** How long a ticket for a QUIC handshake is valid. */
  lifetimeMs: 600_000,
  /** The same for a ticket that is valid from any address. */
  roamingLifetimeMs: 30_000,
  /** How often the relay makes a new ticket key. The previous key stays valid as long as its tickets. */
  keyLifetimeMs: 3_600_000,
} as const;
