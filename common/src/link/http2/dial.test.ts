import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import net, { type Server, type Socket } from "node:net";
import tls from "node:tls";
import type { PortholeError } from "../../errors.ts";
import { createCertificate, generateKey } from "../../identity/index.ts";
import { encodeAlert, tlsAlert } from "../../protocol/index.ts";
import type { PeerTrust } from "../types.ts";
import { dialHttp2 } from "./index.ts";

interface Case {
  readonly what: string;
  /** Undefined: nothing listens. */
  readonly server?: () => Server;
  readonly trust?: PeerTrust;
  readonly host?: string;
  readonly code: string;
  readonly text: RegExp;
  readonly hint: RegExp;
}

const key = generateKey();
const identity = {
  cert: createCertificate({ key, dnsNames: ["localhost"], notBefore: new Date(), days: 1 }).pem,
  key: key.pem,
};
const otherName = createCertificate({ key, dnsNames: ["other.test"], notBefore: new Date(), days: 1 }).pem;
const unchecked: PeerTrust = { kind: "unchecked" };

const cases: readonly Case[] = [
  { what: "a closed port", code: "unreachable", text: /^Nothing listens on localhost:\d+$/, hint: /port/ },
  {
    what: "a name that does not exist",
    host: "no-such-relay.invalid",
    code: "unreachable",
    text: /^(no-such-relay\.invalid has no address in the DNS|The address of no-such-relay\.invalid can't be looked up)/,
    hint: /spelling|network/,
  },
  {
    what: "a relay with a certificate of its own, and no pin",
    server: () => tls.createServer({ ...identity, ALPNProtocols: ["h2"] }),
    trust: { kind: "ca" },
    code: "untrusted",
    text: /^localhost:\d+ has no certificate of a public authority$/,
    hint: /invite/,
  },
  {
    what: "a certificate for another name",
    server: () => tls.createServer({ cert: otherName, key: key.pem, ALPNProtocols: ["h2"] }),
    trust: { kind: "ca", pem: otherName },
    code: "untrusted",
    text: /^The certificate of localhost:\d+ is for another name$/,
    hint: /^$/,
  },
  {
    what: "a server that closes the connection at once",
    server: () => net.createServer((socket) => socket.resetAndDestroy()),
    code: "busy",
    text: /^localhost:\d+ closed the connection at once$/,
    hint: /busy/,
  },
  {
    what: "a relay's port for visitors",
    server: () => answering(encodeAlert(tlsAlert.unrecognizedName)),
    code: "usage",
    text: /^localhost:\d+ does not take clients/,
    hint: /4433/,
  },
  {
    what: "an HTTPS server that refuses our protocol",
    server: () => tls.createServer({ ...identity, ALPNProtocols: ["http/1.1"] }),
    code: "usage",
    text: /^localhost:\d+ is not a Porthole relay$/,
    hint: /4433/,
  },
  {
    what: "an HTTPS server without ALPN",
    server: () => tls.createServer(identity),
    code: "usage",
    text: /^localhost:\d+ is not a Porthole relay$/,
    hint: /4433/,
  },
  {
    what: "an HTTP/2 server",
    server: () => http2.createSecureServer(identity),
    code: "usage",
    text: /^localhost:\d+ is not a Porthole relay$/,
    hint: /4433/,
  },
  {
    what: "a server without TLS",
    server: () => answering("HTTP/1.1 400 Bad Request\r\n\r\n"),
    code: "usage",
    text: /^localhost:\d+ is not a Porthole relay: it does not speak TLS 1\.3$/,
    hint: /4433/,
  },
];

function answering(bytes: Buffer | string): Server {
  return net.createServer((socket) => socket.once("data", () => socket.end(bytes)));
}

describe("dialHttp2 says in words of its own what is wrong", () => {
  for (const { what, server, trust = unchecked, host = "localhost", code, text, hint } of cases) {
    it(what, async () => {
      const sockets = new Set<Socket>();
      const listener = (server ?? net.createServer)();
      listener.on("connection", (socket: Socket) => {
        sockets.add(socket);
        socket.on("error", () => {});
      });
      listener.on("tlsClientError", () => {});
      listener.on("sessionError", () => {});
      listener.listen(0);
      await once(listener, "listening");
      const { port } = listener.address() as net.AddressInfo;
      const close = async (): Promise<void> => {
        for (const socket of sockets) socket.destroy();
        if (listener.listening) await new Promise((resolve) => listener.close(resolve));
      };
      if (!server) await close();
      try {
        const { signal } = new AbortController();
        const dialled = dialHttp2({ host, port, ...identity, trust, verifyPeer: () => {} }, { signal });
        await assert.rejects(dialled, (error: PortholeError) => {
          assert.match(error.message, text);
          assert.equal(error.code, code);
          assert.match(error.hint ?? "", hint);
          return true;
        });
      } finally {
        await close();
      }
    });
  }
});
