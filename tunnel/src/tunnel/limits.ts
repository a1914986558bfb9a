/** Bounds and deadlines of the client's runtime. Times are in milliseconds. */
export const limits = {
  /** Public names that one relay may give a client. */
  maxHostnames: 4,
  /** The deadline from a stream's opening to the end of its PROXY header, at the client. */
  streamHeaderDeadlineMs: 10_000,
  /** TLS handshakes with visitors that begin in one turn of the event loop. */
  handshakesPerTurn: 8,
  /** A visitor's TLS handshake with the client. */
  visitorHandshakeMs: 10_000,
  /** The relay's answer to a quota request. */
  issuanceDeadlineMs: 10_000,
  /** The relay's answer when a key is exposed over a link that is up; the relay itself takes 10 seconds at most. */
  exposeDeadlineMs: 12_000,
  /** The relay's answer when a key is not to be exposed any more. */
  unexposeDeadlineMs: 1_000,
  /** Pauses before a key is exposed again that the relay did not take for now. */
  exposeRetry: { firstMs: 1_000, maxMs: 30_000 },
  /** Client: TCP, TLS and HTTP/2 until `welcome`. */
  dialDeadlineMs: 10_000,
  /** Failed attempts in a row after which the state names the doctor. */
  attemptsBeforeDoctor: 3,
  /** How often a client looks whether one of its links is worn out. */
  linkInspectionMs: 10_000,
  /**
   * Pauses before a client dials again. `maxAfterServiceMs` bounds them for a client that the relay has admitted before: 1,000 such
   * clients come back at 125 a second, which a relay on two cores can admit. `maxBusyMs` is for one that is there and drops what is
   * too much at once.
   */
  reconnect: { firstMs: 1_000, maxMs: 30_000, maxAfterServiceMs: 8_000, maxBusyMs: 4_000, stableAfterMs: 10_000 },
  /**
   * A relay that has served for `afterServiceMs` and is gone all at once is probably back in a moment: it is dialled again at once and then
   * every `minMs` to `maxMs`, for some seconds, before the pauses of `reconnect` begin.
   */
  redial: { minMs: 100, maxMs: 250, attempts: 30, afterServiceMs: 1_000 },
  /**
   * A tunnel that is stopped lets visitors finish: until none of them has moved a byte for `quietMs`, and for `maxMs` at most. It looks
   * every `lookMs`.
   */
  drain: { quietMs: 1_000, maxMs: 10_000, lookMs: 100 },
  /**
   * A key that is elsewhere lets one of this machine act in its place `forMs` long, at most the 7 days that relays accept. Its holder may
   * be a person, who has `signDeadlineMs`. What is half over is renewed when it is looked at, every `lookMs`; with `leastLeftMs` left it
   * counts as over. After a failure the holder is not asked again for the pause, which doubles.
   */
  grant: {
    forMs: 24 * 3_600_000,
    signDeadlineMs: 60_000,
    lookMs: 300_000,
    leastLeftMs: 60_000,
    pause: { firstMs: 5_000, maxMs: 300_000 },
    maxKept: 100,
  },
  /** The relay's answer to a ticket request. */
  ticketDeadlineMs: 5_000,
  /** While HTTP/2 serves, QUIC is tried again after pauses in this range; where it has worked before, at least every `maxAfterServiceMs`. */
  quicRetry: { firstMs: 30_000, maxMs: 600_000, maxAfterServiceMs: 45_000 },
  /**
   * QUIC is left out after its engine has hung: `firstMs`, and `factor` times as long after each further hang. A hang that is
   * `forgetMs` past its rest is forgotten.
   */
  quicRest: { firstMs: 300_000, factor: 4, maxMs: 86_400_000, forgetMs: 86_400_000 },
  /** A client with HTTP/2 up dials the rest of its pool if QUIC is not up by then. */
  quicHeadStartMs: 300,
  /** The same where QUIC was up before: a relay that all of its clients return to must not get five handshakes of each. */
  quicReturnMs: 10_000,
  /** The same when the relay says that it has no QUIC at present: after its start it has none for a moment. */
  quicAbsentPoolMs: 1_000,
  /** The same after QUIC has been silent for this time. */
  quicSilentPoolMs: 1_000,
  /** The rest of the pool goes after QUIC has been up for this time. */
  quicSettledMs: 10_000,
} as const;
