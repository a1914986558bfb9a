import assert from "node:assert/strict";
import type { Link, LinkKind } from "@porthole/common/link";
import { FakeClock } from "@porthole/testing";
import { Account } from "../accounting/index.ts";
import { createRegistry, type ClientLink } from "./registry.ts";
import { Traffic } from "../monitoring/traffic.ts";

function client(
  kind: LinkKind,
  openStreams = 0,
  instance = "one",
  label = "id",
  isSilent = false,
  recentBytes = 0,
): ClientLink {
  const link = { kind, isSilent, openStreams, recentBytes } as Link;
  const shown = {
    id: "1",
    connectedAt: 0,
    traffic: new Traffic(),
    isExternallyAuthorized: false,
    software: "test",
    account: new Account("test", new FakeClock(), () => 0),
  };
  return {
    ...shown,
    clientId: "id",
    fingerprint: "id",
    linkFingerprint: "id",
    dismiss: () => {},
    owner: "id",
    hostnames: [`${label}.localhost`],
    instance,
    link,
    revocationReason: () => undefined,
  };
}

describe("registry", () => {
  it("knows nobody at first", () => {
    const registry = createRegistry();
    assert.deepEqual(registry.find("id.localhost"), []);
    assert.deepEqual(registry.count(), { clients: 0, links: 0, streams: 0 });
  });

  it("sends visitors over QUIC first, then over the HTTP/2 connection with the least streams", () => {
    const registry = createRegistry();
    const [busy, free, quic] = [client("http2", 5), client("http2", 2), client("quic", 900)];
    for (const each of [busy, free, quic]) registry.add(each);
    assert.deepEqual(registry.find("id.localhost"), [quic, free, busy]);
    assert.deepEqual(registry.count(), { clients: 1, links: 3, streams: 907 });
  });

  it("leads visitors away from an HTTP/2 connection that carries a transfer, but not from QUIC", () => {
    const registry = createRegistry();
    const transfer = client("http2", 1, "one", "id", false, 200_000);
    const [several, many, quic] = [client("http2", 3), client("http2", 40), client("quic", 1, "one", "id", false, 1e9)];
    for (const each of [transfer, several, many, quic]) registry.add(each);
    assert.deepEqual(registry.find("id.localhost"), [quic, several, transfer, many]);
  });

  it("counts a client once, whatever names its links have", () => {
    const registry = createRegistry();
    const [plain, named] = [client("quic"), client("http2", 0, "two", "myapp")];
    for (const each of [plain, named]) registry.add(each);
    assert.deepEqual([registry.find("id.localhost"), registry.find("myapp.localhost")], [[plain], [named]]);
    assert.equal(registry.count().clients, 1);
    assert.deepEqual(registry.instances("id"), new Set(["one", "two"]));
    registry.remove(plain);
    registry.remove(named);
    assert.deepEqual(registry.count(), { clients: 0, links: 0, streams: 0 });
  });

  it("counts a link once, whatever keys are exposed over it, and no client without a name", () => {
    const registry = createRegistry();
    const web = client("quic", 3, "one", "web");
    const shared = [
      web,
      { ...web, clientId: "api", hostnames: ["api.localhost"] },
      { ...web, clientId: "bare", hostnames: [] },
    ];
    for (const each of shared) registry.add(each);
    assert.deepEqual(registry.count(), { clients: 2, links: 1, streams: 3 });
    assert.deepEqual(registry.instances("bare"), new Set());
    for (const each of shared) registry.remove(each);
    assert.deepEqual(registry.count(), { clients: 0, links: 0, streams: 0 });
  });

  it("sends nobody over a link that has gone silent while another one is there", () => {
    const registry = createRegistry();
    const [quic, http2, dark] = [
      client("quic", 0, "one", "id", true),
      client("http2", 3),
      client("http2", 0, "one", "id", true),
    ];
    for (const each of [quic, http2, dark]) registry.add(each);
    assert.deepEqual(registry.find("id.localhost"), [http2, quic, dark]);
  });

  it("takes the newest of equals", () => {
    const registry = createRegistry();
    const [old, young] = [client("quic"), client("quic")];
    registry.add(old);
    registry.add(young);
    assert.deepEqual(registry.find("id.localhost"), [young, old]);
  });

  it("forgets a link that is removed, once", () => {
    const registry = createRegistry();
    const [first, second] = [client("quic"), client("quic", 0, "two")];
    registry.add(first);
    registry.add(second);
    assert.deepEqual(registry.instances("id"), new Set(["one", "two"]));
    registry.remove(first);
    registry.remove(first);
    assert.deepEqual(registry.find("id.localhost"), [second]);
    assert.deepEqual(registry.count(), { clients: 1, links: 1, streams: 0 });
    registry.remove(second);
    assert.deepEqual(registry.count(), { clients: 0, links: 0, streams: 0 });
  });
});
