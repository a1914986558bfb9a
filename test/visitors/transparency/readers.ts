/** Who reads what comes out of a tunnel. */
export const readers = {
  socket: "a reader of raw bytes over HTTP/1.1",
  "node:http2": "Node's HTTP/2",
  curl: "curl over both",
  "node:http": "Node's HTTP/1.1",
  fetch: "Node's fetch",
  python: "Python's http.client",
  go: "Go's net/http over both",
  chromium: "Chromium",
} as const;

export type Reader = keyof typeof readers;

/** Those that are not ours, and read in their own ways. */
export const programs: readonly Reader[] = ["curl", "node:http", "fetch", "python", "go", "chromium"];
