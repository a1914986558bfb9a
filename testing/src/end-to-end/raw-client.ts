import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { PortholeError } from "@porthole/common/errors";
import { createCertificate, generateKey, readPeer, type IdentityKey } from "@porthole/common/identity";
import { createLink, type TransportConnection, type Link } from "@porthole/common/link";
import { acceptHttp2, dialHttp2 } from "@porthole/common/link/http2";
import { dialQuic, acceptQuic } from "@porthole/common/link/quic";
import type { Hello, Welcome } from "@porthole/common/protocol";
import type { Relay } from "@porthole/relay";
import { freePort } from "../free-port.ts";
import type { Scope } from "./scope.ts";
import type { Transport } from "./transport.ts";
import { until } from "./until.ts";

const over = new PortholeError("closed", "The test is over");
const { signal: never } = new AbortController();

export const hello: Hello = { type: "hello", protocol: 1, software: "test", instance: "test" };

export function welcome(clientId: string): Welcome {
  return {
    type: "welcome",
    clientId,
    hostnames: [`${clientId}.localhost`],
    publicPort: 8443,
    limits: { maxStreams: 1_000 },
    software: "test",
    observedAddress: "127.0.0.1",
    ticket: { quic: "00".repeat(20), lifetimeMs: 600_000 },
  };
}

function selfSigned(key: IdentityKey): { readonly cert: string; readonly key: string } {
  const { pem } = createCertificate({ key, dnsNames: ["localhost"], notBefore: new Date(), days: 1 });
  return { cert: pem, key: key.pem };
}

/** What a client's transport has before the client says anything: for clients who don't keep to the protocol. */
export async function dialRelay(
  scope: Scope,
  relay: Relay,
  transport: Transport,
  key: IdentityKey = generateKey(),
  /** For QUIC; fetched if it is absent. */
  ticket?: Buffer,
): Promise<TransportConnection> {
  const target = { host: "127.0.0.1", port: relay.apiPort, ...selfSigned(key), trust: { kind: "unchecked" } } as const;
  const init = { signal: never };
  const connection = await (transport === "quic"
    ? dialQuic({ ...target, sourceId: ticket ?? (await ticketOf(scope, relay, key)) }, init)
    : dialHttp2({ ...target, verifyPeer: () => {} }, init));
  scope.defer(() => connection.close(over));
  return connection;
}

/** What lets a client with this key begin one QUIC handshake: from an HTTP/2 link that is closed afterwards. */
export async function ticketOf(scope: Scope, relay: Relay, key: IdentityKey): Promise<Buffer> {
  const { links } = relay.counts();
  const link = await dialLink(scope, relay, "http2", key);
  link.control.send(hello);
  const answer = await link.control.next();
  assert.equal(answer?.type, "welcome");
  await link.close(over);
  await until(() => relay.counts().links === links, "the relay had let go of the link");
  return Buffer.from(answer.ticket?.quic ?? "", "hex");
}

export async function dialLink(
  scope: Scope,
  relay: Relay,
  transport: Transport,
  key?: IdentityKey,
  ticket?: Buffer,
): Promise<Link> {
  return createLink(await dialRelay(scope, relay, transport, key, ticket), { clock: scope.clock, heartbeat: "send" });
}

/**
 * A relay that does as the test says with every connection of one transport. Both are on one port, as with a real one, and over
 * QUIC only comes who has got a ticket over HTTP/2.
 */
export async function startFakeRelay(
  scope: Scope,
  transport: Transport,
  onConnection: (connection: TransportConnection) => void,
): Promise<number> {
  const identity = selfSigned(generateKey());
  const connections = new Set<TransportConnection>();
  const acceptor = acceptHttp2({ ...identity, verifyPeer: () => {} });
  const accept = (connection: TransportConnection): void => {
    connections.add(connection);
    if (connection.kind === transport) onConnection(connection);
    else void giveTicket(createLink(connection, { clock: scope.clock, heartbeat: "watch" }));
  };
  const server = net.createServer((socket) => {
    acceptor
      .accept(socket, { remote: { address: "127.0.0.1", port: 0 }, signal: never })
      .then(accept, () => socket.destroy());
  });
  const port = await freePort();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const quic = await acceptQuic({ address: "127.0.0.1", port, ...identity }, { signal: never });
  void (async () => {
    for await (const connection of quic.incoming) accept(connection);
  })();
  scope.defer(async () => {
    const closed = once(server, "close");
    server.close();
    for (const connection of connections) connection.destroy(over);
    await Promise.all([closed, quic.close()]);
  });
  return port;
}

/** The id of the client on the other end, as a relay reads it from the certificate. */
export function idOf({ peerCertificate }: Link): string {
  assert.ok(peerCertificate);
  return readPeer(peerCertificate).clientId;
}

async function giveTicket(link: Link): Promise<void> {
  for (let message = await link.control.next(); message; message = await link.control.next()) {
    if (message.type === "hello") link.control.send(welcome(idOf(link)));
    else await link.close(over);
  }
}
