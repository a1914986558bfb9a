import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { isSelfSigned, parseFingerprint } from "@porthole/common/identity";
import { isLoopback } from "@porthole/common/protocol";
import { readJson, writeJson } from "@porthole/common/util";
import type { RelayCertificate } from "../certificates/relay-certificate.ts";
import type { RelayConfig } from "./config.ts";

/** How clients reach a relay. It is written down, so that invites can be made without the relay's own settings. */
export interface AdvertisedAddress {
  /** Undefined when it has no name and listens on all addresses. */
  readonly host?: string | undefined;
  readonly port: number;
  /** Undefined where a CA vouches for a key that may change. */
  readonly pin?: string | undefined;
  /** See RelayConfig. */
  readonly certificateDirectory?: string | undefined;
  /** The page on which invites are opened in an editor. Undefined where browsers would not trust it. */
  readonly joinPage?: string | undefined;
}

/** Returns the address to advertise for a relay that listens on `ports` and presents `certificate`. */
export function advertisedAddressOf(
  config: RelayConfig,
  ports: { readonly api: number; readonly public: number },
  certificate: RelayCertificate,
): AdvertisedAddress {
  const { acme, suffixes, addresses, tlsFiles, certificateDirectory, advertisedPorts } = config;
  const publicName = acme?.domain ?? suffixes.find((suffix) => !isLoopback(suffix));
  const isAnyAddress = addresses.api === "0.0.0.0" || addresses.api === "::";
  const isLasting = tlsFiles === undefined || isSelfSigned(certificate.cert);
  return {
    host: publicName ?? (isAnyAddress ? undefined : addresses.api),
    port: advertisedPorts.api ?? ports.api,
    ...(isLasting ? { pin: certificate.fingerprint } : {}),
    ...(certificateDirectory === undefined ? {} : { certificateDirectory }),
    ...(publicName === undefined || (acme === undefined && isSelfSigned(certificate.cert))
      ? {}
      : { joinPage: joinPageAt(publicName, advertisedPorts.public ?? ports.public) }),
  };
}

/** Returns the URL of the page that opens invites in an editor. */
export function joinPageAt(host: string, publicPort: number): string {
  return `https://${host}${publicPort === 443 ? "" : `:${publicPort}`}/join`;
}

/** Writes the address into the state folder. Rejects with `state`. */
export async function writeAdvertisedAddress(stateDir: string, address: AdvertisedAddress): Promise<void> {
  await writeJson(pathIn(stateDir), address);
}

/** Undefined before the relay's first start. Rejects with `state` when the file is damaged. */
export function readAdvertisedAddress(stateDir: string): Promise<AdvertisedAddress | undefined> {
  return readJson(pathIn(stateDir), (value) => {
    const { host, port, pin, certificateDirectory, joinPage } = Object(value) as { readonly [key: string]: unknown };
    const isText = [host, pin, certificateDirectory, joinPage].every(
      (text) => text === undefined || typeof text === "string",
    );
    if (typeof port !== "number" || !isText) throw new PortholeError("state", "it does not say where the relay is");
    return {
      host: host as string | undefined,
      port,
      pin: pin === undefined ? undefined : parseFingerprint(pin as string),
      certificateDirectory: certificateDirectory as string | undefined,
      joinPage: joinPage as string | undefined,
    };
  });
}

function pathIn(stateDir: string): string {
  return join(stateDir, "relay.json");
}
