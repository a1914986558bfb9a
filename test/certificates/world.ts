import { once } from "node:events";
import tls, { type TLSSocket } from "node:tls";
import type { AcmeNetwork } from "@porthole/common/acme";
import type { Relay } from "@porthole/relay";
import { startPebble, whyNoPebble, type Pebble } from "@porthole/testing/pebble";
import { skipUnless } from "@porthole/testing/skip";
import {
  freePort,
  startTestClient,
  startTestRelay,
  type Scope,
  type TestClient,
  type TestClientOptions,
} from "@porthole/testing/end-to-end";

export const suffix = "tunnel.example";
/** What one order may take here, with a browserful of other tests on the machine. Longer than the pause after an attempt that a busy machine was too slow for. */
export const orderMs = 150_000;

/** A certificate authority, and a relay that it reaches. */
export interface World {
  readonly pebble: Pebble;
  readonly relay: Relay;
  readonly network: AcmeNetwork;
}

/** A `before` hook. */
export function needPebble(this: Mocha.Context): void {
  const why = whyNoPebble();
  skipUnless(this, why === undefined, why ?? "");
}

export async function startWorld(
  scope: Scope,
  relayArgs: readonly string[] = [],
  options: { readonly lifetimeSeconds?: number } = {},
): Promise<World> {
  // Pebble has to know where to knock before the relay knows where Pebble is.
  const tlsPort = await freePort();
  const pebble = await startPebble({ tlsPort, ...options });
  scope.defer(() => pebble.close());
  const network: AcmeNetwork = { trust: pebble.caPem, port: tlsPort, lookup: async () => ["127.0.0.1"] };
  const relay = await startTestRelay(scope, {
    args: [
      ...["--domain-suffix", suffix, "--open", "--alpn-port", String(tlsPort)],
      ...["--acme-directory", pebble.directoryUrl, "--acme-email", "relay@tunnel.example"],
      ...relayArgs,
    ],
    acmeNetwork: network,
  });
  return { pebble, relay, network };
}

export function startCertifiedClient(
  scope: Scope,
  { pebble, relay, network }: World,
  options: Partial<TestClientOptions>,
): Promise<TestClient> {
  return startTestClient(scope, {
    servers: [relay.apiPort],
    acmeNetwork: network,
    ...options,
    args: ["--acme-directory", pebble.directoryUrl, ...(options.args ?? [])],
  });
}

/** Waits for the certificate of the primary endpoint's only name. */
export function certified(client: TestClient): Promise<{ readonly hostname: string; readonly notAfter: number }> {
  return client.when(
    "a certificate",
    ({ endpoints }) => {
      const certificate = endpoints[0]?.certificates[0];
      return certificate?.status === "valid"
        ? { hostname: certificate.hostname, notAfter: certificate.notAfter }
        : undefined;
    },
    orderMs,
  );
}

/** A connection of somebody who trusts nobody but the authority; tried again until its certificate is in service. */
export async function trusted(
  port: number,
  servername: string,
  ca: string,
  options: tls.ConnectionOptions = {},
): Promise<TLSSocket> {
  const giveUpAt = performance.now() + orderMs;
  for (;;) {
    const socket = tls.connect({ host: "127.0.0.1", port, servername, ca, ...options });
    try {
      await once(socket, "secureConnect");
      return socket;
    } catch (reason) {
      const isSelfSigned = (reason as NodeJS.ErrnoException).code === "DEPTH_ZERO_SELF_SIGNED_CERT";
      if (!isSelfSigned || performance.now() > giveUpAt) throw reason;
    }
  }
}
