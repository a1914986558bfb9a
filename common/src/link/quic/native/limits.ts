/** Bounds of the native engine. Sizes are in bytes. */
export const nativeLimits = {
  /** Bytes that a peer may send on one stream before they are read. quinn's window is fixed: at 100 ms it carries 20 MB/s. */
  streamWindow: 2 * 1024 * 1024,
  /** The same for all streams of a link together. */
  linkWindow: 64 * 1024 * 1024,
  /** Handshakes at once, and those of one address. */
  maxHandshakes: 128,
  maxHandshakesPerAddress: 32,
  /** Links that nobody has taken yet. */
  maxWaiting: 1_024,
  /** A peer's certificate in DER. */
  maxCertificate: 16 * 1024,
} as const;
