import { createCertificate, generateKey } from "@porthole/common/identity";
import type { TransportConnection } from "@porthole/common/link";
import { silentLogger } from "@porthole/common/log";
import { AsyncQueue, systemClock } from "@porthole/common/util";
import { QuicWorker } from "../relay/src/quic-worker/quic-worker.ts";
import { processorMs } from "./process-time.ts";
import type { Identity } from "./quic-engine-ends.ts";

/** The relay's QUIC process, as the relay has it; this process is the relay. */
export interface RunningWorker {
  readonly port: number;
  /** A client whose handshake is done. */
  next(): Promise<TransportConnection>;
  processorMs(): Promise<number>;
  close(): Promise<void>;
}

/** Lets everyone in. */
export async function openQuicWorker(identity: Identity): Promise<RunningWorker> {
  const arrived = new AsyncQueue<TransportConnection>();
  const worker = new QuicWorker({
    ...{ address: "127.0.0.1", port: 0, ...identity, admission: "open", memoryCapBytes: 1024 ** 3 },
    ...{ clock: systemClock, log: silentLogger, onConnection: (connection) => void arrived.push(connection) },
  });
  await worker.open();
  return {
    port: worker.port,
    async next() {
      const { value } = await arrived.next();
      if (!value) throw new Error("Nobody came");
      return value;
    },
    processorMs: () => processorMs(worker.facts().pid),
    close: () => worker.close(),
  };
}

export function relayIdentity(): Identity {
  const key = generateKey();
  const { pem } = createCertificate({ key, dnsNames: ["relay.example"], notBefore: new Date(), days: 1 });
  return { cert: pem, key: key.pem };
}
