import { createRequire } from "node:module";
import { PortholeError } from "../../../errors.ts";
import type { RemoteAddress } from "../../types.ts";
import type { QuicCloseError } from "../errors.ts";

/**
 * The native quiche 0.18.0 inside `@matrixai/quic`, as far as we use it: names and meanings are quiche's own
 * (https://docs.rs/quiche/0.18.0). The package's ready-made classes are never loaded: they move 1 MB/s where the binding moves 50.
 *
 * Electron refuses what returns bytes ("Create external arraybuffer failed"); those members are marked `relay only`.
 */
export interface QuicheBinding {
  readonly Config: {
    withBoringSslCtx(
      verifyPeer: boolean,
      verifyAllowFail: boolean,
      caPem: Uint8Array | undefined,
      keyPems: Uint8Array[] | undefined,
      certPems: Uint8Array[] | undefined,
    ): QuicheConfig;
  };
  readonly Connection: {
    connect(
      serverName: string | undefined,
      sourceId: Uint8Array,
      local: HostPort,
      remote: HostPort,
      config: QuicheConfig,
    ): QuicheConnection;
    accept(
      sourceId: Uint8Array,
      /** The destination of the first Initial, when a Retry came in between. */
      originalDestinationId: Uint8Array | undefined,
      local: HostPort,
      remote: HostPort,
      config: QuicheConfig,
    ): QuicheConnection;
  };
  /** Writes a Retry packet into `out` and returns its length. */
  retry(
    sourceId: Uint8Array,
    destinationId: Uint8Array,
    newSourceId: Uint8Array,
    token: Uint8Array,
    version: number,
    out: Uint8Array,
  ): number;
}

export interface QuicheConfig {
  setApplicationProtos(names: string[]): void;
  setMaxIdleTimeout(ms: number): void;
  setMaxRecvUdpPayloadSize(bytes: number): void;
  setMaxSendUdpPayloadSize(bytes: number): void;
  setInitialMaxData(bytes: number): void;
  setInitialMaxStreamDataBidiLocal(bytes: number): void;
  setInitialMaxStreamDataBidiRemote(bytes: number): void;
  setInitialMaxStreamDataUni(bytes: number): void;
  setInitialMaxStreamsBidi(streams: number): void;
  setInitialMaxStreamsUni(streams: number): void;
  setMaxStreamWindow(bytes: number): void;
  setMaxConnectionWindow(bytes: number): void;
  setDisableActiveMigration(disabled: boolean): void;
  setCcAlgorithmName(name: "bbr" | "cubic"): void;
  enablePacing(enabled: boolean): void;
  grease(enabled: boolean): void;
}

/** `host` is an IP address in text. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export function hostPort({ address, port }: RemoteAddress): HostPort {
  return { host: address, port };
}

export interface QuicheConnection {
  /** Decrypts in place, so the datagram is spoilt afterwards. Throws when the connection is broken by it. */
  recv(datagram: Uint8Array, info: { readonly from: HostPort; readonly to: HostPort }): number;
  /** Null when there is nothing to send. */
  send(out: Uint8Array): [length: number, info: unknown] | null;
  /** Bytes that BBR's rate makes of a millisecond: at least a packet, at most 64 KiB. */
  sendQuantum(): number;
  /** Null when nothing can be read now. Throws StreamReset, InvalidStreamState. */
  streamRecv(id: number, out: Uint8Array): [length: number, fin: boolean] | null;
  /** Null when nothing can be taken now. Throws StreamStopped, StreamLimit, InvalidStreamState. */
  streamSend(id: number, data: Uint8Array, fin: boolean): number | null;
  streamCapacity(id: number): number;
  streamPriority(id: number, urgency: number, incremental: boolean): void;
  streamReadable(id: number): boolean;
  /** Whether `readable` has anything. */
  isReadable(): boolean;
  /** Makes four functions and two kilobytes of garbage, which only a collection of the whole heap finds. */
  readable(): Iterable<number>;
  /** Milliseconds, rounded down. */
  timeout(): number | null;
  onTimeout(): void;
  /** Queues CONNECTION_CLOSE. */
  close(app: boolean, code: number, reason: Uint8Array): void | null;
  /** `recv`, `recvBytes`: packets that were genuine and new. */
  stats(): { readonly recv: number; readonly recvBytes: number; readonly sent: number };
  /** `rtt` in milliseconds. Costs tens of microseconds. */
  pathStats(): { readonly active: boolean; readonly rtt: number; readonly cwnd: number; readonly lost: number }[];
  isEstablished(): boolean;
  isResumed(): boolean;
  isDraining(): boolean;
  isClosed(): boolean;
  isTimedOut(): boolean;
  peerError(): QuicCloseError | null;
  localError(): QuicCloseError | null;
  /** Relay only. */
  peerCertChain(): Uint8Array[] | null;
  /** Relay only. */
  applicationProto(): Uint8Array;
}

let loaded: QuicheBinding | PortholeError | undefined;

/** Throws `unavailable`, with the reason, where there is no binary for this platform or it can't be loaded. */
export function loadBinding(): QuicheBinding {
  loaded ??= tryLoad();
  if (loaded instanceof PortholeError) throw loaded;
  return loaded;
}

function tryLoad(): QuicheBinding | PortholeError {
  try {
    // Not an import: it must fail here, at run time, and a bundler must leave the binary out.
    const require = createRequire(import.meta.url);
    return (require("@matrixai/quic/dist/native/quiche.js") as { default: QuicheBinding }).default;
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split("\n", 1)[0] ?? "") : String(cause);
    return new PortholeError("unavailable", `No QUIC on ${process.platform}-${process.arch}: ${why}`, { cause });
  }
}
