import { lookup } from "node:dns/promises";
import type { EndpointState } from "../tunnel/index.ts";
import { failed, ok, orAbort, warning, type Finding } from "@porthole/common/util";

export function isLocalhostName(hostname: string): boolean {
  return hostname === "localhost" || hostname.endsWith(".localhost");
}

export async function checkPublicName(hostname: string, signal: AbortSignal): Promise<Finding> {
  // RFC 6761 6.3: not every resolver knows; browsers do by themselves.
  if (isLocalhostName(hostname)) return ok(`${hostname} leads browsers on this machine to itself.`);
  try {
    const addresses = await orAbort(signal, lookup(hostname, { all: true }));
    return ok(`${hostname} is ${addresses.map(({ address }) => address).join(", ")}.`);
  } catch {
    signal.throwIfAborted();
    const suffix = hostname.slice(hostname.indexOf(".") + 1);
    return failed(
      `${hostname} has no address in the DNS, so no visitor finds it.`,
      `The relay's operator adds an A or AAAA record for *.${suffix} that leads to it.`,
    );
  }
}

export function checkCertificate(hostname: string, { certificates }: EndpointState, isWanted: boolean): Finding {
  const certificate = certificates.find((each) => each.hostname === hostname);
  switch (certificate?.status) {
    case "valid":
    case "renewing":
      return ok(
        `A certificate authority's certificate is valid until ${new Date(certificate.notAfter).toISOString()}.`,
      );
    case "pending":
      return warning(
        "The certificate is being asked for; until then visitors see a self-signed one.",
        "Wait a minute.",
      );
    case "failed": {
      const finding = `No certificate: ${certificate.error.message}.`;
      return certificate.notAfter === undefined
        ? failed(finding, certificate.error.hint)
        : warning(finding, certificate.error.hint);
    }
    case "self-signed":
    case undefined: {
      const seen = `Visitors see a self-signed certificate${certificate ? ` (SHA-256 ${certificate.sha256})` : ""}.`;
      if (!isWanted || isLocalhostName(hostname)) return ok(seen);
      return warning(seen, "Browsers warn about it. A public name gets a certificate when ACME is on.");
    }
  }
}
