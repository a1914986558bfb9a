import { PortholeError } from "@porthole/common/errors";
import { isLoopback } from "@porthole/common/protocol";
import { failed, ok, warning, withDeadline, type Clock } from "@porthole/common/util";
import type { RelayConfig } from "../config/config.ts";
import type { Check } from "./check.ts";
import { askQuic, connectTcp, type Probe, type Protocol } from "./probe.ts";
import { portOwner } from "./port-owner.ts";
import { openStandIn, type StandIn } from "./stand-in.ts";

export interface PortsContext {
  /** Then the relay itself is asked; otherwise this process listens in its place for a moment. */
  readonly isRunning: boolean;
  /** The domain's addresses. */
  readonly publicAddresses: readonly string[];
  readonly machineAddresses: readonly string[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface WantedPort {
  readonly flag: string;
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
  readonly purpose: string;
}

const probeMs = 4_000;

/** The ports that a relay with this configuration opens, each once. */
export function wantedPorts(
  config: Pick<RelayConfig, "apiPort" | "publicPort" | "alpnPort" | "httpPort" | "quicPort" | "addresses">,
): WantedPort[] {
  const { apiPort, publicPort, alpnPort, httpPort, quicPort, addresses } = config;
  const tcp = "tcp" as const;
  const wanted: WantedPort[] = [
    { flag: "api-port", protocol: tcp, address: addresses.api, port: apiPort, purpose: "clients over HTTP/2" },
    {
      ...{ flag: quicPort === undefined ? "api-port" : "quic-port", protocol: "udp", address: addresses.quic },
      ...{ port: quicPort ?? apiPort, purpose: "clients over QUIC" },
    },
    { flag: "pub-port", protocol: tcp, address: addresses.public, port: publicPort, purpose: "visitors" },
    ...(alpnPort === undefined
      ? []
      : [
          {
            flag: "alpn-port",
            protocol: tcp,
            address: addresses.alpn,
            port: alpnPort,
            purpose: "certificate challenges",
          },
        ]),
    ...(httpPort === undefined
      ? []
      : [{ flag: "http-port", protocol: tcp, address: addresses.http, port: httpPort, purpose: "redirects to https" }]),
  ];
  const isFirst = ({ protocol, address, port }: WantedPort, index: number): boolean =>
    port === 0 ||
    wanted.findIndex((each) => each.protocol === protocol && each.address === address && each.port === port) === index;
  return wanted.filter(isFirst);
}

/** Whether the ports are free or the relay's, and whether connections by the public addresses arrive. */
export async function checkPorts(wanted: readonly WantedPort[], context: PortsContext): Promise<Check[]> {
  const checks: Check[] = [];
  for (const each of wanted) checks.push(...(await checkPort(each, context)));
  return checks;
}

async function checkPort(wanted: WantedPort, context: PortsContext): Promise<Check[]> {
  const { flag, protocol, address, port } = wanted;
  if (context.isRunning) return reach(wanted, protocol === "tcp" ? connectTcp : askQuic, context);
  let standIn: StandIn;
  try {
    standIn = await openStandIn(protocol, address, port, flag);
  } catch (reason) {
    const { message, hint, cause } = PortholeError.from(reason);
    const isTaken = (cause as NodeJS.ErrnoException | undefined)?.code === "EADDRINUSE";
    const owner = isTaken && protocol === "tcp" ? await portOwner(port) : undefined;
    const finding = owner === undefined ? message : `${message} (${owner})`;
    const fix = isTaken && port === 443 ? sharingFix(protocol) : hint;
    return [{ id: idOf(wanted), status: "failed", finding, ...(fix === undefined ? {} : { fix }) }];
  }
  try {
    return await reach(wanted, standIn.probe, context);
  } finally {
    await standIn.close();
  }
}

async function reach(wanted: WantedPort, probe: Probe, context: PortsContext): Promise<Check[]> {
  const { protocol, port, purpose } = wanted;
  const id = idOf(wanted);
  const what = `${protocol.toUpperCase()} port ${port} (${purpose})`;
  const isHidden = isLoopback(wanted.address) && context.publicAddresses.some((each) => !isLoopback(each));
  if (isHidden) {
    const finding = `${what} is ${context.isRunning ? "the relay's" : "free"} on ${wanted.address}`;
    return protocol === "tcp"
      ? [{ id, status: "ok", finding: `${finding}; a proxy on this machine has to forward to it` }]
      : [{ id, status: "warning", finding: `${finding}, where no other machine reaches it`, fix: quicFix }];
  }
  if (context.publicAddresses.length === 0) {
    const finding = `${what} ${context.isRunning ? "is the relay's" : "is free"}; whether it can be reached is not known without an address`;
    return [{ id, status: context.isRunning ? "skipped" : "ok", finding }];
  }
  const { clock, signal: parent } = context;
  return Promise.all(
    context.publicAddresses.map(async (address): Promise<Check> => {
      try {
        const options = { clock, delayMs: probeMs, what: `An answer from ${address}`, signal: parent };
        await withDeadline(options, (signal) => probe(address, port, signal));
        return { id, ...ok(`${what} can be reached by ${address}`) };
      } catch (reason) {
        const why = (reason as Error).message;
        return context.machineAddresses.includes(address)
          ? { id, ...failed(`${what} can't be reached by ${address}: ${why}`, firewallFix(wanted)) }
          : {
              id,
              ...warning(`${what} could not be reached from here by ${address}: ${why}`, outsideFix(wanted, address)),
            };
      }
    }),
  );
}

const quicFix = "Give QUIC a UDP port that others reach: --quic-port 443.";
const guide = "docs/beside-a-web-server.md";

/** A web server needs 443 as much as the relay does, so both have to share it. */
function sharingFix(protocol: Protocol): string {
  return protocol === "tcp"
    ? `Share port 443 with it. Relay in front: move the web server to 127.0.0.1:8444 and set --fallback 127.0.0.1:8444. Relay behind: --pub-port 127.0.0.1:8443 --alpn-port 127.0.0.1:8443 --public-port 443. Both are in ${guide}.`
    : `Choose another UDP port with --quic-port, as in ${guide}.`;
}

function firewallFix({ protocol, port }: WantedPort): string {
  return `Let it through this machine's firewall: ufw allow ${port}/${protocol}, or its like; and is the relay's bind-addr right?`;
}

function outsideFix({ protocol, port }: WantedPort, address: string): string {
  // What gets no answer looks open to nc -u.
  const attempt = protocol === "udp" ? "porthole doctor at a client" : `nc -zv ${address} ${port}`;
  return `Many routers don't let a machine in by its own public address. Try from another network: ${attempt}. If that fails too, open ${port}/${protocol} in the provider's and the machine's firewall.`;
}

function idOf({ protocol }: WantedPort): Check["id"] {
  return protocol === "udp" ? "udp" : "ports";
}
