/** Bounds and deadlines of the gateway. Times are in milliseconds. */
export const limits = {
  /** Bytes that one HTTP/2 stream may send before they are read. */
  streamWindowBytes: 1024 * 1024,
  /** Bytes that all HTTP/2 streams of one connection to the service may send before they are read. */
  serviceWindowBytes: 16 * 1024 * 1024,
} as const;
