import { BlockList, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";

/** Addresses that mean something only within a network (IANA's special-purpose registries), and so can't be a relay's public one. */
const localOnly = new BlockList();
for (const [network, bits] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["224.0.0.0", 3],
] as const)
  localOnly.addSubnet(network, bits, "ipv4");
for (const [network, bits] of [
  ["::", 127],
  ["fc00::", 7],
  ["fe80::", 10],
  ["ff00::", 8],
] as const)
  localOnly.addSubnet(network, bits, "ipv6");

/** Whether the address can be reached from other networks. */
export function isGlobal(address: string): boolean {
  return !localOnly.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}

/** All addresses of this machine's interfaces. */
export function machineAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
}
