import { connectThroughProxy, dialHttp2 } from "@porthole/common/link/http2";
import { dialQuic, quicAvailability } from "@porthole/common/link/quic";
import type { Dialers } from "../tunnel/index.ts";
import { proxyFrom, type ProxyChoice } from "./proxy.ts";

/** The transports of this machine. HTTP/2 and certificates go through a proxy where there is one; QUIC is tried straight, and serves where it gets through. */
export function createDialers(proxy?: ProxyChoice): Dialers {
  const quic = quicAvailability();
  const proxyFor = proxyFrom(proxy);
  return {
    http2: async (options, init) => dialHttp2({ ...options, proxy: proxyFor(options) }, init),
    quic: quic.available ? { available: true, dial: dialQuic } : quic,
    proxyTo(target) {
      const proxy = proxyFor(target);
      return proxy && ((signal) => connectThroughProxy(proxy, target, signal));
    },
  };
}
