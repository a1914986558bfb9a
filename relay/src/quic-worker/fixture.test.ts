// What the tests of this folder share. It has the name of a test so that it is not published.
import { createCertificate, generateKey } from "@porthole/common/identity";
import type { TransportConnection } from "@porthole/common/link";
import { dialQuic, type EngineName } from "@porthole/common/link/quic";
import { silentLogger } from "@porthole/common/log";
import { AsyncQueue, systemClock } from "@porthole/common/util";
import { QuicWorker, type QuicWorkerOptions } from "./quic-worker.ts";

export interface TestIdentity {
  readonly cert: string;
  readonly key: string;
  readonly der: Buffer;
}

export function selfSigned(): TestIdentity {
  const key = generateKey();
  const { pem, der } = createCertificate({ key, dnsNames: [], notBefore: new Date(Date.now() - 86_400_000), days: 30 });
  return { cert: pem, key: key.pem, der };
}

export const relayIdentity = selfSigned();
export const clientIdentity = selfSigned();

export interface TestWorker {
  readonly worker: QuicWorker;
  readonly port: number;
  /** The next link that has arrived at the relay. */
  accept(): Promise<TransportConnection>;
}

export async function openQuicWorker(options: Partial<QuicWorkerOptions> = {}): Promise<TestWorker> {
  const arrived = new AsyncQueue<TransportConnection>();
  const worker = new QuicWorker({
    address: "127.0.0.1",
    port: 0,
    ...relayIdentity,
    admission: "open",
    engine: "quiche",
    memoryCapBytes: 1024 ** 3,
    clock: systemClock,
    log: silentLogger,
    onConnection: (connection) => arrived.push(connection),
    ...options,
  });
  await worker.open();
  return {
    worker,
    port: worker.port,
    async accept() {
      const { value } = await arrived.next();
      if (!value) throw new Error("No link comes any more");
      return value;
    },
  };
}

export function dial(port: number, engine: EngineName = "quiche"): Promise<TransportConnection> {
  const trust = { kind: "pinned", pem: relayIdentity.cert } as const;
  const { signal } = new AbortController();
  return dialQuic({ host: "127.0.0.1", port, ...clientIdentity, trust, engine }, { signal });
}
