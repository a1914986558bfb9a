// What the tests of this folder share. It has the name of a test so that it is not published.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { IssuanceQuotas } from "../certificates/issuance-quotas.ts";
import { PortholeError } from "@porthole/common/errors";
import { createCertificate, generateKey } from "@porthole/common/identity";
import { createLink, type Link } from "@porthole/common/link";
import { memoryConnectionPair } from "@porthole/testing/memory-link";
import { readOptions } from "@porthole/common/options";
import { silentLogger, type Logger } from "@porthole/common/log";
import type { Hello } from "@porthole/common/protocol";
import { FakeClock } from "@porthole/testing";
import { Usage } from "../accounting/index.ts";
import type { Grant } from "../admission/index.ts";
import { serveClient, type ClientSessionDeps } from "./client-session.ts";
import { relayConfig } from "../config/config.ts";
import { ClientGate } from "../limits/index.ts";
import { relayOptions } from "../config/options.ts";
import type { NewEvent } from "../monitoring/events.ts";
import { Metrics } from "../monitoring/metrics.ts";
import { createRegistry, type Registry } from "./registry.ts";

export const key = generateKey();
const { der: certificate } = createCertificate({ key, dnsNames: [], notBefore: new Date(), days: 1 });
export const hello: Hello = { type: "hello", protocol: 1, software: "test", instance: "one" };

/** Declares the hooks in the present suite. Checks after each test that the relay has forgotten the client. */
export function useClientSession() {
  let clock: FakeClock;
  let registry: Registry;
  let metrics: Metrics;
  let gate: ClientGate;
  let stop: AbortController;
  let lines: string[];
  let events: NewEvent[];
  let folder: string;
  let usage: Usage;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-session-"));
  });
  after(() => rm(folder, { recursive: true }));

  beforeEach(async () => {
    clock = new FakeClock();
    usage = await Usage.open(join(folder, "usage.json"), {
      clock,
      log: silentLogger,
      limits: () => ({ bytesPerMonth: 0, bandwidth: 0 }),
    });
    registry = createRegistry();
    metrics = new Metrics(() => assert.fail("nobody asks"));
    const { limits } = relayConfig(readOptions(relayOptions, [], {}).values);
    gate = new ClientGate({ clock, limits: () => limits, onLimit: () => {} });
    stop = new AbortController();
    lines = [];
    events = [];
  });

  afterEach(async () => {
    await usage.close();
    assert.deepEqual(registry.count(), { clients: 0, links: 0, streams: 0 });
    assert.equal(gate.pending, 0);
    assert.equal(clock.pending, 0, "a timer is left");
  });

  /** A client that has connected and said nothing yet; `over` when the relay has done with it. */
  function connect(
    deps: Partial<ClientSessionDeps> = {},
    clientCertificate: Buffer | null = certificate,
    clientAddress = "127.0.0.1",
  ) {
    const pair = memoryConnectionPair({ clientAddress, ...(clientCertificate ? { clientCertificate } : {}) });
    const line = (_fields: object, message: string): void => void lines.push(message);
    const log: Logger = { debug: line, info: line, warn: line, error: line };
    const pendingClient = gate.enter("127.0.0.1");
    const over = serveClient(pair.relay, pendingClient, {
      clock,
      log,
      registry,
      metrics,
      record: (event) => void events.push(event),
      admission: { admit: async ({ peer, suffix }) => grant(peer.clientId, suffix) },
      quotas: quotas(),
      usage,
      ticket: () => undefined,
      suffixes: [],
      publicPort: 8443,
      software: "relay/test",
      refusal: () => undefined,
      signal: stop.signal,
      ...deps,
    });
    return { link: createLink(pair.client, { clock, heartbeat: "send" }), over, control: pair.client.control };
  }

  async function admitted(deps: Partial<ClientSessionDeps> = {}, instance = "one") {
    const { link, over } = connect(deps);
    link.control.send({ ...hello, instance });
    assert.equal((await link.control.next())?.type, "welcome");
    return { link, over };
  }

  async function admittedFrom(address: string) {
    const client = connect({}, certificate, address);
    client.link.control.send(hello);
    assert.equal((await client.link.control.next())?.type, "welcome");
    return client;
  }

  async function leave(link: Link): Promise<void> {
    await link.close(new PortholeError("closed", "The test is over"));
  }

  return {
    connect,
    admitted,
    admittedFrom,
    leave,
    get clock() {
      return clock;
    },
    get registry() {
      return registry;
    },
    get stop() {
      return stop;
    },
    get lines() {
      return lines;
    },
    get events() {
      return events;
    },
  };
}

export function quotas(refusal?: PortholeError): IssuanceQuotas {
  return {
    async take(_name, owner) {
      assert.equal(owner, "who-joined");
      if (refusal) throw refusal;
    },
    left: async () => ({ all: 30, own: 3 }),
  };
}

export function grant(label: string, suffix = "localhost"): Grant {
  return {
    hostname: `${label}.${suffix}`,
    owner: "who-joined",
    isExternallyAuthorized: false,
    revocationReason: () => undefined,
  };
}
