import { figuresOf } from "@porthole/testing/end-to-end";
import type { Target } from "./load.ts";
import { processorMs } from "./process-time.ts";
import type { RelayPorts, Running } from "./processes.ts";
import type { BenchRow } from "./row.ts";
import { visitsOf, type Visits } from "./visits.ts";

/** What a flood changes: the same visitors without it and in it. */
export interface Comparison {
  readonly calm: Visits;
  readonly busy: Visits;
  /** The relay's share of a core in the flood. */
  readonly relayPercent: number;
  /** For each connection, the few of the visitors included; undefined where there are not many. */
  readonly relayMicroseconds: number | undefined;
}

const seconds = 8;
const minConnections = 1_000;

/** Starts the flood, and ends it. */
export async function compare(attack: {
  readonly relay: Running;
  readonly ports: RelayPorts;
  readonly target: Target;
  flood(): Promise<Running>;
}): Promise<Comparison> {
  const { relay, ports, target } = attack;
  const calm = await visitsOf(target, seconds);
  const flooder = await attack.flood();
  try {
    const [connectionsBefore, msBefore] = [await connectionsOf(ports), await processorMs(relay.child.pid)];
    const busy = await visitsOf(target, seconds);
    const relayMs = (await processorMs(relay.child.pid)) - msBefore;
    const connections = (await connectionsOf(ports)) - connectionsBefore;
    return {
      ...{ calm, busy },
      relayPercent: relayMs / seconds / 10,
      relayMicroseconds: connections < minConnections ? undefined : (relayMs * 1_000) / connections,
    };
  } finally {
    await flooder.stop();
  }
}

/** Visitors' and clients' connections so far, those that were turned away included. */
async function connectionsOf({ admin }: RelayPorts): Promise<number> {
  let sum = 0;
  for (const [name, value] of await figuresOf(admin))
    if (/^porthole_(visitors_total|clients_refused_total|limited_total\{limit="(pending-clients|penalty)")/.test(name))
      sum += value;
  return sum;
}

export function ratioOf({ calm, busy }: Comparison): Pick<BenchRow, "value" | "unit" | "target" | "atMost"> {
  return { value: busy.p99 / calm.p99, unit: "times", target: 2, atMost: true };
}
