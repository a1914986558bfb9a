// What the tests of this folder share. It has the name of a test so that it is not published.
import { platformReason, skipUnless } from "@porthole/testing/skip";
import { PortholeError } from "../../errors.ts";
import { createCertificate, generateKey } from "../../identity/index.ts";
import type { TransportConnection } from "../types.ts";
import { dialQuic, acceptQuic, quicAvailability, type DialQuicOptions, type QuicAcceptor } from "./index.ts";
import type { AcceptQuicOptions } from "./options.ts";

export interface TestIdentity {
  readonly cert: string;
  readonly key: string;
  readonly der: Buffer;
}

export function selfSigned(...dnsNames: string[]): TestIdentity {
  const key = generateKey();
  const certificate = createCertificate({ key, dnsNames, notBefore: new Date(Date.now() - 86_400_000), days: 30 });
  return { cert: certificate.pem, key: key.pem, der: certificate.der };
}

export const relayIdentity = selfSigned("relay.example");
export const clientIdentity = selfSigned();

export const never: AbortSignal = new AbortController().signal;

export function listen(options: Partial<AcceptQuicOptions> = {}): Promise<QuicAcceptor> {
  return acceptQuic({ address: "127.0.0.1", port: 0, ...relayIdentity, ...options }, { signal: never });
}

export function dial(
  port: number,
  options: Partial<DialQuicOptions> = {},
  signal: AbortSignal = never,
): Promise<TransportConnection> {
  const trust = { kind: "pinned", pem: relayIdentity.cert } as const;
  return dialQuic({ host: "127.0.0.1", port, ...clientIdentity, trust, ...options }, { signal });
}

export async function accept(listener: QuicAcceptor): Promise<TransportConnection> {
  for await (const connection of listener.incoming) return connection;
  throw new Error("The listener is closed");
}

export interface ConnectionPair {
  readonly listener: QuicAcceptor;
  readonly relay: TransportConnection;
  readonly client: TransportConnection;
}

export async function connectedPair(
  listenOptions: Partial<AcceptQuicOptions> = {},
  dialOptions: Partial<DialQuicOptions> = {},
): Promise<ConnectionPair> {
  return pairOf(await listen(listenOptions), (port) => dial(port, dialOptions));
}

export async function pairOf(
  listener: QuicAcceptor,
  dialPort: (port: number) => Promise<TransportConnection>,
): Promise<ConnectionPair> {
  const [relay, client] = await Promise.all([accept(listener), dialPort(listener.address.port)]);
  return { listener, relay, client };
}

/** Skips the suite where no native engine was built. Listeners of it, and `clients`, are closed after each test. */
export function useNativeEngine(): { readonly clients: TransportConnection[]; readonly listen: typeof listen } {
  const clients: TransportConnection[] = [];
  const listeners: QuicAcceptor[] = [];
  before(function () {
    const isHere = quicAvailability("native").available;
    skipUnless(this, isHere, platformReason("no native QUIC engine was built: see npm run build:native"));
  });
  afterEach(async () => {
    const over = new PortholeError("closed", "The test is over");
    await Promise.all(clients.splice(0).map((client) => client.close(over)));
    await Promise.all(listeners.splice(0).map((listener) => listener.close()));
  });
  return {
    clients,
    async listen(options) {
      const listener = await listen({ engine: "native", ...options });
      listeners.push(listener);
      return listener;
    },
  };
}
