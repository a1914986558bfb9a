import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import type { HostPort } from "@porthole/common/options";
import { isLoopback } from "@porthole/common/protocol";
import { failed, readFileIfExists, skipped, type Clock } from "@porthole/common/util";
import type { RelayConfig } from "../config/config.ts";
import { networkTest } from "../config/networks.ts";
import { balancersOf } from "../listeners/open-ports.ts";
import { machineAddresses } from "./addresses.ts";
import { checkCertificate, presentedCertificate, type CertificateContext } from "./certificate.ts";
import { checkClock } from "./clock.ts";
import { checkDns } from "./dns.ts";
import type { Check } from "./check.ts";
import { checkPorts, wantedPorts } from "./ports.ts";
import { checkStateFolder } from "./state-folder.ts";
import { checkSystem } from "./system.ts";

export interface DoctorContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The running relay's ports. Undefined when none runs with this state folder. */
  readonly running:
    | {
        readonly api: number;
        readonly public: number;
        readonly alpn: number | undefined;
        readonly http?: number | undefined;
      }
    | undefined;
  /** Asked instead of the machine's own DNS servers. */
  readonly resolver?: HostPort | undefined;
}

/** Looks at everything that keeps a relay from being reached, one thing after the other. Never rejects but with the signal's reason. */
export async function examine(config: RelayConfig, context: DoctorContext): Promise<Check[]> {
  const { clock, signal, running } = context;
  const domains = publicDomains(config);
  const checks: Check[] = [];
  const addresses = new Set<string>();
  const machine = machineAddresses();
  for (const domain of domains) {
    const result = await checkDns(domain, {
      resolver: context.resolver,
      machineAddresses: machine,
      listensOnIpv6: config.addresses.public.includes(":"),
    });
    checks.push(...result.checks);
    for (const address of result.addresses) addresses.add(address);
  }
  if (domains.length === 0) checks.push({ id: "dns", ...skipped("there is no public name (--domain-suffix)") });
  const ports = running
    ? wantedPorts({
        ...config,
        ...{ apiPort: running.api, publicPort: running.public, alpnPort: running.alpn, httpPort: running.http },
      })
    : wantedPorts(config);
  checks.push(
    ...(await checkPorts(ports, {
      isRunning: running !== undefined,
      publicAddresses: [...addresses],
      machineAddresses: machine,
      clock,
      signal,
    })),
    await certificateFinding(config, context, domains[0]),
    config.acme
      ? await checkClock(config.acme.directoryUrl, clock, signal)
      : { id: "clock", ...skipped("no certificate authority is configured that could be asked") },
    ...(await checkStateFolder(config.stateDir, config.admission.keysPath ? [config.admission.keysPath] : [])),
    ...(await checkSystem()),
  );
  signal.throwIfAborted();
  return checks;
}

/** Under which names the relay has to be found. */
function publicDomains({ suffixes, acme }: RelayConfig): string[] {
  const isPublic = (name: string): boolean => !isLoopback(name);
  const apexes = suffixes.filter(isPublic);
  // A name of its own under a suffix is covered by the suffix's wildcard.
  return acme && apexes.length === 0 ? [acme.domain] : apexes;
}

async function certificateFinding(
  config: RelayConfig,
  { clock, signal, running }: DoctorContext,
  domain: string | undefined,
): Promise<Check> {
  const { acme, tlsFiles, stateDir, addresses } = config;
  const isAny = addresses.api === "0.0.0.0" || addresses.api === "::";
  const address = isAny ? "127.0.0.1" : addresses.api;
  const isForClients = running?.api !== running?.public && running?.api !== running?.alpn;
  const isProxied = networkTest(balancersOf(config, isForClients))(address);
  const context: CertificateContext = { name: acme?.domain ?? domain, byAcme: acme !== undefined, clock, isProxied };
  try {
    if (running) {
      return checkCertificate(await presentedCertificate(address, running.api, context, signal), context);
    }
    const path = tlsFiles?.cert ?? join(stateDir, acme ? "relay-acme.pem" : "relay-cert.pem");
    const pem = await readFileIfExists(path);
    if (pem) return checkCertificate(new X509Certificate(pem), context);
    return tlsFiles
      ? { id: "certificate", ...failed(`there is no file ${path}`, "Correct --tls-cert.") }
      : { id: "certificate", ...skipped("there is none before the relay's first start") };
  } catch (reason) {
    const { message, hint } = PortholeError.from(reason);
    return { id: "certificate", ...failed(message, hint ?? "Look at the relay's log.") };
  }
}
