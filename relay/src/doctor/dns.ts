import { randomBytes } from "node:crypto";
import { Resolver } from "node:dns/promises";
import { isIPv6 } from "node:net";
import { PortholeError } from "@porthole/common/errors";
import { formatHostPort, type HostPort } from "@porthole/common/options";
import { isGlobal } from "./addresses.ts";
import { failed, ok, warning } from "@porthole/common/util";
import type { Check } from "./check.ts";

export interface DnsContext {
  /** The machine's own server when absent. */
  readonly resolver?: HostPort | undefined;
  /** The addresses of this machine's interfaces. */
  readonly machineAddresses: readonly string[];
  readonly listensOnIpv6: boolean;
}

export interface DnsResult {
  readonly checks: readonly Check[];
  /** The domain's addresses. */
  readonly addresses: readonly string[];
}

const id = "dns";
const timeoutMs = 3_000;
const tries = 2;

/** Whether the domain and everything under it lead to this machine, as far as that can be told from here. */
export async function checkDns(domain: string, context: DnsContext): Promise<DnsResult> {
  const resolver = new Resolver({ timeout: timeoutMs, tries });
  if (context.resolver) resolver.setServers([formatHostPort(context.resolver)]);
  const wildcard = `*.${domain}`;
  try {
    const apex = await addressesOf(resolver, domain);
    // Any name will do that nobody has made a record for.
    const below = await addressesOf(resolver, `porthole-${randomBytes(8).toString("hex")}.${domain}`);
    const checks = [
      ...missing(domain, apex, context),
      ...missing(wildcard, below, context),
      ...different(domain, apex, below),
      ...[...new Set([...apex, ...below])].flatMap((address) => wrongAddress(domain, address, context)),
    ];
    const isFine = checks.every(({ status }) => status !== "failed");
    return {
      addresses: apex,
      checks: isFine ? [{ id, ...ok(`${domain} and ${wildcard} lead to ${apex.join(", ")}`) }, ...checks] : checks,
    };
  } catch (reason) {
    const { message } = PortholeError.from(reason);
    const fix = "Check the network and /etc/resolv.conf, or name a server with --resolver.";
    return { addresses: [], checks: [{ id, ...failed(message, fix) }] };
  }
}

async function addressesOf(resolver: Resolver, name: string): Promise<string[]> {
  const lists = await Promise.all([
    resolver.resolve4(name).catch(none(name)),
    resolver.resolve6(name).catch(none(name)),
  ]);
  return lists.flat().sort();
}

/** No such name and no such record are answers, everything else is a DNS server that does not work. */
function none(name: string): (reason: NodeJS.ErrnoException) => string[] {
  return (reason) => {
    if (reason.code === "ENOTFOUND" || reason.code === "ENODATA") return [];
    throw new PortholeError("unreachable", `No DNS server answers for ${name} (${reason.code ?? reason.message})`, {
      cause: reason,
    });
  };
}

function missing(name: string, addresses: readonly string[], { machineAddresses }: DnsContext): Check[] {
  if (addresses.length > 0) return [];
  const own = machineAddresses.filter(isGlobal);
  const records = own.length > 0 ? own : ["the relay's public address"];
  const fix = `Add to the domain's zone: ${records.map((address) => `${name}. ${typeOf(address)} ${address}`).join("; ")}`;
  return [{ id, ...failed(`${name} has no address in the DNS`, fix) }];
}

function different(domain: string, apex: readonly string[], below: readonly string[]): Check[] {
  if (apex.length === 0 || below.length === 0 || apex.join() === below.join()) return [];
  const finding = `${domain} leads to ${apex.join(", ")}, but the names under it lead to ${below.join(", ")}`;
  const fix = `Give ${domain} and *.${domain} the same A and AAAA records: clients come by the one, visitors by the other.`;
  return [{ id, ...failed(finding, fix) }];
}

function wrongAddress(domain: string, address: string, context: DnsContext): Check[] {
  if (isIPv6(address) && !context.listensOnIpv6) {
    const finding = `${domain} has the AAAA record ${address}, but the relay listens on IPv4 only`;
    const fix = 'Set bind-addr = "::" (it takes IPv4 too), or remove the record: certificate authorities prefer IPv6.';
    return [{ id, ...failed(finding, fix) }];
  }
  if (!isGlobal(address)) {
    const finding = `${domain} leads to ${address}, which only machines in that network can reach`;
    const fix = "Use the public address; a certificate authority has to be able to connect.";
    return [{ id, ...warning(finding, fix) }];
  }
  const own = context.machineAddresses.filter((each) => isGlobal(each) && isIPv6(each) === isIPv6(address));
  if (own.length === 0 || own.includes(address)) return [];
  const finding = `${domain} leads to ${address}, but this machine is ${own.join(", ")}`;
  const fix = `Correct the ${typeOf(address)} record, unless ${address} forwards to this machine.`;
  return [{ id, ...failed(finding, fix) }];
}

function typeOf(address: string): "A" | "AAAA" {
  return isIPv6(address) ? "AAAA" : "A";
}
