import { isIP } from "node:net";
import { PortholeError } from "../../../errors.ts";
import { alpn } from "../../../protocol/protocol.ts";
import {
  checkIdentity,
  defaultPacketBytes,
  trustedAuthorities,
  type EngineOptions,
  type QuicTrust,
} from "../options.ts";
import type { QuicheBinding, QuicheConfig } from "./binding.ts";
import { limits } from "../../limits.ts";

/**
 * quiche 0.18 deadlocks a connection whose connection-level window matters: after the initial credit is used its window is
 * 48 KiB, MAX_DATA is sent only when less than half of that is unread, and so one stalled reader with 24 KiB stops all
 * streams indefinitely; discarded bytes are not credited and a lost MAX_DATA is not repeated. So that window is out of reach,
 * and what a peer can make us hold is bounded by the windows of its streams.
 */
const unlimitedBytes = Number.MAX_SAFE_INTEGER;

/**
 * What a stream may send before its reader has read anything. quiche's own window starts at 32 KiB whatever we say here
 * and doubles while the reader keeps up; a stream whose reader never starts holds this much.
 */
export const initialStreamBytes = 256 * 1024;

/** Largest window of a stream. At 40 ms one stream moves 14 MB/s with 1 MiB and 30 MB/s with this. */
const maxStreamWindowBytes = 4 * limits.streamWindowBytes;

/** The control stream has frames of 64 KiB at most and is read at once. */
const controlWindowBytes = 128 * 1024;

/** Twice what we open: a stream's credit comes back a round trip after its end, and by halves. */
const streamCredit = 2 * limits.maxStreamsPerLink;

/** The client's half. Throws `key` for a certificate or key that BoringSSL refuses, `unavailable` for a check that it can't do. */
export function clientConfig(
  binding: QuicheBinding,
  options: EngineOptions,
  trust: QuicTrust,
  serverName: string,
): QuicheConfig {
  if (trust.kind === "ca" && isIP(serverName))
    throw new PortholeError(
      "unavailable",
      `QUIC can't check the relay's certificate against the address ${serverName}`,
      {
        hint: "Give the relay's host name, or pin its fingerprint.",
      },
    );
  const checked = trust.kind !== "unchecked";
  const ca = checked ? Buffer.from(trust.pem ?? trustedAuthorities()) : undefined;
  const config = build(binding, options, { checked, allowAny: false, ca });
  config.setInitialMaxStreamDataBidiLocal(controlWindowBytes);
  config.setInitialMaxStreamDataBidiRemote(initialStreamBytes);
  config.setInitialMaxStreamsBidi(streamCredit);
  return config;
}

/** The relay's half: demands a certificate and takes any; who it is, is admission's business. Throws `key`. */
export function relayConfig(binding: QuicheBinding, options: EngineOptions): QuicheConfig {
  const config = build(binding, options, { checked: true, allowAny: true, ca: undefined });
  config.setInitialMaxStreamDataBidiLocal(initialStreamBytes);
  config.setInitialMaxStreamDataBidiRemote(controlWindowBytes);
  // The control stream, and nothing else.
  config.setInitialMaxStreamsBidi(1);
  return config;
}

/** Whether connections with these options are paced. */
export function isPaced({ congestion = "bbr" }: Pick<EngineOptions, "congestion">): boolean {
  return congestion === "bbr";
}

function build(
  binding: QuicheBinding,
  options: EngineOptions,
  peer: { readonly checked: boolean; readonly allowAny: boolean; readonly ca: Uint8Array | undefined },
): QuicheConfig {
  checkIdentity(options);
  let config: QuicheConfig;
  try {
    const key = [Buffer.from(options.key)];
    const cert = [Buffer.from(options.cert)];
    config = binding.Config.withBoringSslCtx(peer.checked, peer.allowAny, peer.ca, key, cert);
  } catch (cause) {
    throw new PortholeError("key", "The QUIC engine does not take this certificate, key or CA", { cause });
  }
  const packetBytes = options.packetBytes ?? defaultPacketBytes;
  config.setApplicationProtos([alpn.quic]);
  config.setMaxIdleTimeout(options.idleTimeoutMs ?? limits.quicIdleTimeoutMs);
  config.setMaxRecvUdpPayloadSize(packetBytes);
  config.setMaxSendUdpPayloadSize(packetBytes);
  config.setInitialMaxData(unlimitedBytes);
  config.setInitialMaxStreamDataUni(0);
  config.setInitialMaxStreamsUni(0);
  config.setMaxStreamWindow(maxStreamWindowBytes);
  config.setMaxConnectionWindow(limits.linkWindowBytes);
  // The client does not move on purpose; a NAT that gives it another port, or a laptop in another network, is no such move.
  config.setDisableActiveMigration(true);
  config.setCcAlgorithmName(options.congestion ?? "bbr");
  // The time that quiche wants a packet to leave at can't be read in JavaScript; bursts are bounded in connection.ts.
  config.enablePacing(false);
  config.grease(false);
  return config;
}
