// The fixture of the folder above, for this engine and what only it can be told.
import type { DialQuicOptions, QuicAcceptor } from "../options.ts";
import { clientIdentity, never, pairOf, relayIdentity, type ConnectionPair } from "../fixture.test.ts";
import type { TransportConnection } from "../../types.ts";
import { acceptQuiche, type QuicheAcceptOptions } from "./accept.ts";
import { dialQuiche } from "./dial.ts";

export function listen(options: Partial<QuicheAcceptOptions> = {}): Promise<QuicAcceptor> {
  return acceptQuiche({ address: "127.0.0.1", port: 0, ...relayIdentity, ...options }, { signal: never });
}

export function dial(
  port: number,
  options: Partial<DialQuicOptions> = {},
  signal: AbortSignal = never,
): Promise<TransportConnection> {
  const trust = { kind: "pinned", pem: relayIdentity.cert } as const;
  return dialQuiche({ host: "127.0.0.1", port, ...clientIdentity, trust, ...options }, { signal });
}

export async function connectedPair(
  listenOptions: Partial<QuicheAcceptOptions> = {},
  dialOptions: Partial<DialQuicOptions> = {},
): Promise<ConnectionPair> {
  return pairOf(await listen(listenOptions), (port) => dial(port, dialOptions));
}
