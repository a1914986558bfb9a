import { connectThroughProxy, dialHttp2 } from "@porthole/common/link/http2";
import { dialQuic, quicAvailability, type EngineChoice } from "@porthole/common/link/quic";
import type { Dialers } from "../tunnel/index.ts";
import { proxyFrom, type ProxyChoice } from "./proxy.ts";

/** The transports of this machine. HTTP/2 and certificates go through a proxy where there is one; QUIC is tried straight, and serves where it gets through. */
export function createDialers(proxy?: ProxyChoice, engine?: EngineChoice): Dialers {
  const quic = quicAvailability(engine);
  const proxyFor = proxyFrom(proxy);
  return {
    http2: async (options, init) => dialHttp2({ ...options, proxy: proxyFor(options) }, init),
    quic: quic.available
      ? { ...quic, dial: async (options, init) => dialQuic({ ...options, ...(engine && { engine }) }, init) }
      : quic,
    proxyTo(target) {
      const proxy = proxyFor(target);
      return proxy && ((signal) => connectThroughProxy(proxy, target, signal));
    },
  };
}
