import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { PortholeError } from "../../../errors.ts";

/** The compiled half of this folder: `native/src/lib.rs` says what each function does. All of its calls return at once. */
export interface NativeEndpoint {
  readonly port: number;
  readonly address: string;
  poll(out: Uint32Array): number;
  setCertificate(cert: string, key: string, alpn: string): void;
  setTicketKeys(keys: NativeTicketKey[] | undefined): void;
  counters(out: Float64Array): void;
  takeCertificate(link: number, out: Uint8Array): number;
  ticket(link: number, out: Uint8Array): boolean;
  figures(link: number, out: Float64Array): boolean;
  remote(link: number): string | null;
  openStream(link: number, stream: number): void;
  read(link: number, stream: number, out: Uint8Array): number;
  write(link: number, stream: number, data: Uint8Array): number;
  finish(link: number, stream: number, isAborted: boolean): void;
  releaseStream(link: number, stream: number): void;
  closeLink(link: number, code: number, inOrder: boolean): void;
  forgetLink(link: number): void;
  close(): void;
  release(): void;
}

export interface NativeOptions {
  readonly address: string;
  readonly port: number;
  readonly cert: string;
  readonly key: string;
  readonly alpn: string;
  readonly congestion: string;
  readonly packetBytes: number;
  readonly idleTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
  readonly streamWindow: number;
  readonly linkWindow: number;
  readonly peerStreams: number;
}

export interface NativeTicketKey {
  readonly id: number;
  readonly sinceMs: number;
  readonly secret: string;
}

export interface NativeBinding {
  /** The shape of all this, so that an old build is not taken for a new one. */
  border(): number;
  readonly NativeEndpoint: {
    listen(
      options: NativeOptions,
      maxHandshakes: number,
      maxHandshakesPerAddress: number,
      ticketKeys: NativeTicketKey[] | undefined,
      callback: () => void,
    ): NativeEndpoint;
    dial(
      options: NativeOptions,
      dial: { readonly trust: string; readonly trustPem?: string; readonly serverName: string },
      ticket: Uint8Array,
      callback: () => void,
    ): NativeEndpoint;
  };
}

/** The kinds of events, and what `read` and `write` answer beside numbers of bytes. */
export const kinds = {
  connected: 1,
  closed: 2,
  stream: 3,
  readable: 4,
  writable: 5,
  refused: 6,
  endpointClosed: 7,
} as const;
export const answers = { nothing: 0, whole: -1, aborted: -2, broken: -3 } as const;
export const eventWords = 5;
/** How a connection ended. */
export const ends = { peerApplication: 0, peerTransport: 1, local: 2, timedOut: 3, other: 4, failed: 5 } as const;

const border = 1;
let loaded: NativeBinding | PortholeError | undefined;

/** Throws `unavailable`, with the reason, where there is no build for this platform or it can't be loaded. */
export function loadNative(): NativeBinding {
  loaded ??= tryLoad();
  if (loaded instanceof PortholeError) throw loaded;
  return loaded;
}

function tryLoad(): NativeBinding | PortholeError {
  const platform = `${process.platform}-${process.arch}`;
  const failures: string[] = [];
  // Not an import: it must fail here, at run time, and a bundler must leave the binary out.
  const require = createRequire(import.meta.url);
  for (const place of places(platform)) {
    try {
      const binding = require(place) as NativeBinding;
      if (binding.border() === border) return binding;
      failures.push("it was built for another version");
    } catch (cause) {
      if (!isMissing(cause))
        failures.push(cause instanceof Error ? (cause.message.split("\n", 1)[0] ?? "") : String(cause));
    }
  }
  const why = failures[0] ?? `there is no build for ${platform}`;
  return new PortholeError("unavailable", `The native QUIC engine is not here: ${why}`, {
    hint: "In a checkout with Rust, npm run build:native makes it.",
  });
}

/** Installed for this platform, beside a bundle, or built in this checkout. */
function places(platform: string): string[] {
  const kinds = process.platform === "linux" ? ["-gnu", "-musl"] : [""];
  // Bundles of a checkout are in its dist/, their parts a folder deeper; this file is five folders down.
  const files = ["", "../native/", "../../native/", "../../../../../native/"]
    .map((folder) => `${folder}porthole-quic.node`)
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .filter((path) => existsSync(path));
  return [...files, ...kinds.map((kind) => `@porthole/quic-${platform}${kind}`)];
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "MODULE_NOT_FOUND";
}
