/** Bounds and deadlines of every link. Times are in milliseconds. */
export const limits = {
  /** Control messages that a peer may send at once and a second, besides two for each stream. */
  controlBurst: 1_000,
  controlPerSecond: 100,
  /** Client: a QUIC handshake. */
  quicHandshakeMs: 5_000,
  /** How often an idle client sends a sign of life. */
  heartbeatIntervalMs: 5_000,
  /** How often a side looks for an answer to what it has sent. */
  heartbeatAttentiveMs: 200,
  /**
   * After `suspectMs` without an answer (or four round trips) new visitors are led elsewhere; after `deadMs` the link is over. Running visits
   * outlive a cable that is out for a few seconds, and end, where they can't continue, before people lose patience. `movedMs` is for a connection from an
   * address that its client seems to have left.
   */
  linkSilence: { suspectMs: 400, deadMs: 12_000, movedMs: 2_400 },
  quicIdleTimeoutMs: 15_000,
  /**
   * After so much of any of these a client replaces its QUIC link. quiche 0.18 never changes its keys, and AES-GCM is good for
   * 2^23 packets (RFC 9001 section 6.6); it may keep something of each aborted stream; and what else adds up goes with age.
   */
  quicLife: { packets: 2 ** 22, abortedStreams: 50_000, ageMs: 24 * 3_600_000 },
  /** Streams at once on one link, from relay to client. */
  maxStreamsPerLink: 1_000,
  /** Bytes that a peer may send on one stream before we read. */
  streamWindowBytes: 1024 * 1024,
  /** The same for all streams of one link together. */
  linkWindowBytes: 16 * 1024 * 1024,
  /** In this time a carried byte loses half of its weight in `recentBytes`. */
  recentMs: 500,
  /** How long an aborted stream may take to end in order before it is reset. */
  abortDrainMs: 30_000,
  /** How long a link may take to close in order. */
  linkCloseMs: 3_000,
} as const;
