import { createCertificate, generateKey } from "@porthole/common/identity";
import { createLink, type TransportConnection, type Link } from "@porthole/common/link";
import { dialHttp2 } from "@porthole/common/link/http2";
import { dialQuic } from "@porthole/common/link/quic";
import type { Welcome } from "@porthole/common/protocol";
import { systemClock } from "@porthole/common/util";

/** Connects to a relay on this machine, with a key of its own. */
export type Dial = (port: number, signal: AbortSignal) => Promise<TransportConnection>;

export const dialHttp2Unchecked: Dial = (port, signal) =>
  dialHttp2({ host: "127.0.0.1", port, ...identity(), trust: { kind: "unchecked" }, verifyPeer: () => {} }, { signal });

export const dialQuicUnchecked: Dial = (port, signal) =>
  dialQuic({ host: "127.0.0.1", port, ...identity(), trust: { kind: "unchecked" } }, { signal });

/** Says what a client says first. The link is the caller's to close. */
export async function admitted(
  connection: TransportConnection,
): Promise<{ readonly link: Link; readonly welcome: Welcome }> {
  const link = createLink(connection, { clock: systemClock, heartbeat: "send" });
  link.control.send({ type: "hello", protocol: 1, software: "bench", instance: "bench" });
  const welcome = await link.control.next();
  if (welcome?.type !== "welcome") throw new Error(`The relay answered ${welcome?.type ?? "nothing"}`);
  return { link, welcome };
}

function identity(): { readonly cert: string; readonly key: string } {
  const key = generateKey();
  const { pem } = createCertificate({ key, dnsNames: [key.clientId], notBefore: new Date(), days: 1 });
  return { cert: pem, key: key.pem };
}
