/** Bounds and deadlines between relays. Times are in milliseconds. */
export const limits = {
  /** Links that a relay dials to each other one. More are dialled while those are busy, up to `maxLinks`. */
  links: 2,
  maxLinks: 8,
  /** The share of a link's streams beyond which one more link is dialled. */
  busyShare: 0.7,
  /** How often a relay looks whether its links are busy. */
  lookEveryMs: 1_000,
  /** TCP, TLS and HTTP/2 with another relay. */
  dialMs: 5_000,
  redial: { firstMs: 200, maxMs: 5_000 },
  /** Handshakes of other relays at once; more are reset. */
  maxHandshakes: 64,
  handshakeMs: 10_000,
  /** From the opening of a stream to its last byte of PROXY header and ClientHello. */
  openingMs: 10_000,
  /** One message between relays. */
  maxMessageBytes: 1024 * 1024,
  /** Messages that wait for a relay that does not read; beyond it the stream is closed, and begins again with everything. */
  maxQueuedBytes: 64 * 1024 * 1024,
  /** Changes are told together. */
  batchMs: 5,
  /** Names in one message, which is read in one turn. */
  namesPerMessage: 500,
  beatMs: 1_000,
  /** For how long an order waits until the other relays know its challenge. */
  challengeMs: 2_000,
  /** The count of certificates that all relays share. */
  quotaMs: 10_000,
  /** What one relay of a cluster does for all. */
  turn: { lifetimeMs: 30_000, extendEveryMs: 8_000, lookEveryMs: 1_000, releaseMs: 2_000 },
  /** Entries of a relay that is gone are removed in pieces, so that visitors don't wait. */
  sweep: { entries: 20_000, pauseMs: 5 },
} as const;
