// What the tests of this folder share. It has the name of a test so that it is not published.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { PortholeError } from "@porthole/common/errors";
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

/** One QUIC worker for each test, in a folder of its own. Checks that its process is gone afterwards. */
export function useQuicWorker() {
  let folder: string;
  let test: TestWorker | undefined;
  const connections: TransportConnection[] = [];
  const lines: string[] = [];
  const line = (_fields: object, text: string): void => void lines.push(text);
  const log = { debug: line, info: line, warn: line, error: line };

  function opened(): TestWorker {
    assert.ok(test, "no QUIC worker is open");
    return test;
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-test-"));
    lines.length = 0;
  });

  afterEach(async () => {
    const over = new PortholeError("closed", "The test is over");
    await Promise.all(connections.splice(0).map((connection) => connection.close(over)));
    const pid = test?.worker.facts().pid;
    await test?.worker.close();
    test = undefined;
    if (pid !== undefined) assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
    await rm(folder, { recursive: true });
  });

  return {
    lines,
    /** Closed after the test. */
    connections,
    get folder() {
      return folder;
    },
    get worker() {
      return opened().worker;
    },
    get port() {
      return opened().port;
    },
    async open(options: Partial<QuicWorkerOptions> = {}): Promise<void> {
      test = await openQuicWorker({ log, ...options });
    },
    async connect(): Promise<{ relay: TransportConnection; client: TransportConnection }> {
      const { accept, port } = opened();
      const [relay, client] = await Promise.all([accept(), dial(port)]);
      connections.push(client);
      return { relay, client };
    },
    facts: () => opened().worker.facts(),
  };
}

export async function until(condition: () => boolean, what: string): Promise<void> {
  const giveUpAt = performance.now() + 40_000;
  while (!condition()) {
    assert.ok(performance.now() < giveUpAt, `It never came that ${what}`);
    await pause(20);
  }
}
