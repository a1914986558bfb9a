/** Who reads what comes out of a tunnel. */
export const readers = {
  socket: "a reader of raw bytes over HTTP/1.1",
  "node:http2": "Node's HTTP/2",
} as const;

export type Reader = keyof typeof readers;
