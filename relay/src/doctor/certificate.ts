import type { X509Certificate } from "node:crypto";
import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";
import { PortholeError } from "@porthole/common/errors";
import { fingerprint } from "@porthole/common/identity";
import { failed, formatDay, formatDuration, ok, warning, withDeadline, type Clock } from "@porthole/common/util";
import type { Check } from "./check.ts";

const id = "certificate";
const connectMs = 5_000;
const dayMs = 24 * 3_600_000;
const soonMs = 7 * dayMs;

export interface CertificateContext {
  /** Under which name clients come; undefined without a public one. */
  readonly name: string | undefined;
  /** Whether a CA's certificate is what there should be. */
  readonly byAcme: boolean;
  readonly clock: Clock;
  /** Whether the relay expects a PROXY header from this machine. */
  readonly isProxied: boolean;
}

/** Returns the certificate that the API port of a running relay presents. Rejects with `unreachable` or `timeout`. */
export async function presentedCertificate(
  address: string,
  port: number,
  { name, clock, isProxied }: CertificateContext,
  parent: AbortSignal,
): Promise<X509Certificate> {
  const options = { clock, delayMs: connectMs, what: `The TLS handshake with ${address}:${port}`, signal: parent };
  return withDeadline(options, async (signal) => {
    const connection = net.connect({ host: address, port });
    // As a balancer's own connection, not one that it forwards.
    if (isProxied) connection.write("PROXY UNKNOWN\r\n");
    const socket = tls.connect({
      socket: connection,
      ALPNProtocols: ["h2"],
      rejectUnauthorized: false, // it is the certificate that we want to see
      ...(name === undefined ? {} : { servername: name }),
    });
    try {
      await once(socket, "secureConnect", { signal });
      const certificate = socket.getPeerX509Certificate();
      if (!certificate) throw new Error("no certificate");
      return certificate;
    } catch (cause) {
      throw new PortholeError("unreachable", `${address}:${port} does not speak TLS: ${(cause as Error).message}`, {
        cause,
      });
    } finally {
      socket.on("error", () => {});
      socket.destroy();
    }
  });
}

/** Whether clients can trust it, now and next week. */
export function checkCertificate(certificate: X509Certificate, context: CertificateContext): Check {
  const { name, byAcme, clock } = context;
  const now = clock.now();
  const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  const isSelfSigned = certificate.verify(certificate.publicKey);
  const renewal = byAcme
    ? "The relay renews it by itself: its log says why it could not, and the checks about DNS and ports may, too."
    : isSelfSigned
      ? "Remove relay-cert.pem from the state folder and restart the relay: it makes a new one with the same key."
      : "Renew the files of --tls-cert and --tls-key; the relay rereads them.";
  if (now < from) return { id, ...failed(`is valid only from ${formatDay(from)}`, "Is this machine's clock right?") };
  if (to <= now) return { id, ...failed(`has expired on ${formatDay(to)}`, renewal) };
  if (byAcme && isSelfSigned)
    return { id, ...warning("is still self-signed: there is none from the certificate authority yet", renewal) };
  if (!isSelfSigned && name !== undefined && certificate.checkHost(name) === undefined)
    return { id, ...failed(`is not for ${name}`, "Clients refuse it: get one for this name.") };
  if (to - now < soonMs) return { id, ...warning(`expires in ${formatDuration(to - now)}`, renewal) };
  const pin = fingerprint(certificate.publicKey.export({ type: "spki", format: "der" }));
  const whose = isSelfSigned
    ? `self-signed, which invites make good by its pin ${pin}`
    : `from ${issuerOf(certificate)}`;
  return { id, ...ok(`${whose}; valid until ${formatDay(to)}`) };
}

function issuerOf(certificate: X509Certificate): string {
  return certificate.issuer.split("\n").join(", ");
}
