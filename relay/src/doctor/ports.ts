import { PortholeError } from "@porthole/common/errors";
import { failed, ok, warning, withDeadline, type Clock } from "@porthole/common/util";
import type { RelayConfig } from "../config/config.ts";
import type { Check } from "./check.ts";
import { askQuic, connectTcp, type Probe, type Protocol } from "./probe.ts";
import { openStandIn, type StandIn } from "./stand-in.ts";

export interface PortsContext {
  /** Then the relay itself is asked; otherwise this process listens in its place for a moment. */
  readonly isRunning: boolean;
  readonly bindAddress: string;
  /** Where the domain leads. */
  readonly publicAddresses: readonly string[];
  readonly machineAddresses: readonly string[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface WantedPort {
  readonly flag: string;
  readonly protocol: Protocol;
  readonly port: number;
  readonly purpose: string;
}

const probeMs = 4_000;

/** The ports that a relay with this configuration opens, each once. */
export function wantedPorts(
  config: Pick<RelayConfig, "apiPort" | "publicPort" | "alpnPort" | "httpPort">,
): WantedPort[] {
  const { apiPort, publicPort, alpnPort, httpPort } = config;
  const wanted: WantedPort[] = [
    { flag: "api-port", protocol: "tcp", port: apiPort, purpose: "clients over HTTP/2" },
    { flag: "api-port", protocol: "udp", port: apiPort, purpose: "clients over QUIC" },
    { flag: "pub-port", protocol: "tcp", port: publicPort, purpose: "visitors" },
    ...(alpnPort === undefined
      ? []
      : [{ flag: "alpn-port", protocol: "tcp", port: alpnPort, purpose: "certificate challenges" } as const]),
    ...(httpPort === undefined
      ? []
      : [{ flag: "http-port", protocol: "tcp", port: httpPort, purpose: "redirects to https" } as const]),
  ];
  const isFirst = ({ protocol, port }: WantedPort, index: number): boolean =>
    port === 0 || wanted.findIndex((each) => each.protocol === protocol && each.port === port) === index;
  return wanted.filter(isFirst);
}

/** Whether the ports are free or the relay's, and whether connections by the public addresses arrive. */
export async function checkPorts(wanted: readonly WantedPort[], context: PortsContext): Promise<Check[]> {
  const checks: Check[] = [];
  for (const each of wanted) checks.push(...(await checkPort(each, context)));
  return checks;
}

async function checkPort(wanted: WantedPort, context: PortsContext): Promise<Check[]> {
  const { flag, protocol, port } = wanted;
  if (context.isRunning) return reach(wanted, protocol === "tcp" ? connectTcp : askQuic, context);
  let standIn: StandIn;
  try {
    standIn = await openStandIn(protocol, context.bindAddress, port, flag);
  } catch (reason) {
    const { message, hint } = PortholeError.from(reason);
    return [{ id: idOf(wanted), status: "failed", finding: message, ...(hint === undefined ? {} : { fix: hint }) }];
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
