import { alpn } from "../../../protocol/protocol.ts";
import { limits } from "../../limits.ts";
import { PortholeError } from "../../../errors.ts";
import type { RemoteAddress } from "../../types.ts";
import { checkIdentity, defaultPacketBytes, type EngineOptions } from "../options.ts";
import type { NativeOptions } from "./binding.ts";
import { nativeLimits } from "./limits.ts";

/** Throws `key` for a certificate or key that can't serve. */
export function nativeOptions(options: EngineOptions, place: RemoteAddress, peerStreams: number): NativeOptions {
  checkIdentity(options);
  return {
    ...place,
    cert: options.cert,
    key: options.key,
    alpn: alpn.quic,
    congestion: options.congestion ?? "bbr",
    packetBytes: options.packetBytes ?? defaultPacketBytes,
    idleTimeoutMs: options.idleTimeoutMs ?? limits.quicIdleTimeoutMs,
    handshakeTimeoutMs: options.handshakeTimeoutMs ?? limits.quicHandshakeMs,
    streamWindow: nativeLimits.streamWindow,
    linkWindow: nativeLimits.linkWindow,
    peerStreams,
  };
}

/** The engine's error, whose code is all that is known of it. */
export function keyError(cause: unknown): PortholeError {
  return new PortholeError("key", "The QUIC engine does not take this certificate, key or CA", { cause });
}

export function isKeyError(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "key";
}
