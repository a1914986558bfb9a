import type { Plugin } from "esbuild";

/** Takes QUIC out, whose engine is native code that no embedded Node has: HTTP/2 carries everything then. */
export const withoutQuic: Plugin = {
  name: "without-quic",
  setup(build) {
    build.onResolve({ filter: /^@porthole\/common\/link\/quic$/ }, () => ({ path: "quic", namespace: "without-quic" }));
    build.onLoad({ filter: /./, namespace: "without-quic" }, () => ({
      contents: `
        export const quicAvailability = () => ({ available: false, reason: "This build has no QUIC" });
        export const dialQuic = () => { throw new TypeError("no QUIC"); };
      `,
      loader: "js",
    }));
  },
};

/** What Node 20 has and Node 18 has not, of what the bundle calls; test/rpc/embedded.test.ts finds what is missing here. */
export const node18 = `
  for (const [name, own] of [["toSorted", "sort"], ["toReversed", "reverse"]])
    Array.prototype[name] ?? Object.defineProperty(Array.prototype, name, {
      value(...args) { return [...this][own](...args); }, writable: true, configurable: true,
    });
  // Since Node 20.12: HTTP/2's server role on a connection that this side has opened.
  require("node:http2").performServerHandshake ??= (socket, options) => {
    const server = require("node:http2").createServer(options);
    let session;
    server.once("session", (made) => { session = made; });
    server.emit("connection", socket);
    return session;
  };
`;
