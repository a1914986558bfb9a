import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readPeer } from "../../../identity/index.ts";
import type { TransportConnection } from "../../types.ts";
import { clientIdentity, dial, useNativeEngine, relayIdentity } from "../fixture.test.ts";
import type { QuicAcceptor } from "../index.ts";
import { createTicketKey, mintTicket, type TicketClaims, type TicketKey } from "../ticket.ts";

const engine = "native";

describe("the native QUIC engine asks for tickets:", function () {
  this.timeout(60_000);
  let listener: QuicAcceptor;
  const { clients, listen } = useNativeEngine();

  let key: TicketKey;
  const fingerprint = (identity = clientIdentity): string => readPeer(identity.der).fingerprint;
  let claims: Omit<TicketClaims, "fingerprint">;

  beforeEach(async () => {
    key = createTicketKey(7, Date.now());
    claims = { address: "127.0.0.1", expiresAtMs: Date.now() + 60_000 };
    listener = await listen({ ticketKeys: [key] });
  });

  const attempt = (sourceId: Buffer): Promise<TransportConnection> => dial(listener.address.port, { engine, sourceId });
  const refusal = (sourceId: Buffer): Promise<void> =>
    assert.rejects(dial(listener.address.port, { engine, sourceId, handshakeTimeoutMs: 400 }), { code: "timeout" });

  it("lets in who holds one, once", async () => {
    const ticket = mintTicket(key, { ...claims, fingerprint: fingerprint() });
    clients.push(await attempt(ticket));
    await refusal(ticket);
    assert.ok(listener.stats().dropped["ticket-used"] > 0);
    assert.equal(listener.stats().accepted, 1);
  });

  it("and not who holds one of another's key", async () => {
    const client = await attempt(mintTicket(key, { ...claims, fingerprint: fingerprint(relayIdentity) }));
    assert.equal((await client.closed).code, "unauthorized");
  });

  const refused = [
    { reason: "no-ticket", make: () => randomBytes(20) },
    { reason: "no-ticket", make: () => mintTicket(createTicketKey(7, Date.now()), { ...claims, fingerprint: "x" }) },
    {
      reason: "ticket-expired",
      make: () => mintTicket(key, { ...claims, expiresAtMs: key.sinceMs, fingerprint: "x" }),
    },
    {
      reason: "ticket-elsewhere",
      make: () => mintTicket(key, { ...claims, address: "192.0.2.1", fingerprint: "x" }),
    },
  ] as const;
  for (const [at, { reason, make }] of refused.entries()) {
    it(`keeps out others before there is any state: ${reason} (${at})`, async () => {
      await refusal(make());
      const { dropped, accepted, handshakes, answered } = listener.stats();
      assert.ok(dropped[reason] > 0);
      assert.deepEqual([accepted, handshakes, answered], [0, 0, 0]);
    });
  }

  it("takes those from anywhere, and those of new keys", async () => {
    clients.push(await attempt(mintTicket(key, { ...claims, address: undefined, fingerprint: fingerprint() })));
    const next = createTicketKey(8, Date.now());
    listener.setTicketKeys([next]);
    clients.push(await attempt(mintTicket(next, { ...claims, fingerprint: fingerprint() })));
    await refusal(mintTicket(key, { ...claims, fingerprint: fingerprint() }));
  });
});
