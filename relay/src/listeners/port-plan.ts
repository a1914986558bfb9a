import type { RelayConfig } from "../config/config.ts";

/** A TCP port and who comes in through it. */
export interface PortPlan {
  /** The flag that chose it. */
  readonly flag: string;
  readonly address: string;
  readonly port: number;
  readonly clients: boolean;
  readonly visitors: boolean;
  /** A certificate authority's validators; they may come to a visitors' port, too. */
  readonly challenges: boolean;
}

/** The TCP ports to open: those with the same address and number are one. 0 lets the system choose, and clients and visitors get two. */
export function planPorts({
  apiPort,
  publicPort,
  alpnPort,
  addresses,
}: Pick<RelayConfig, "apiPort" | "publicPort" | "alpnPort" | "addresses">): PortPlan[] {
  const plans: PortPlan[] = [];
  const add = (plan: PortPlan, mayShare: boolean): void => {
    const same = mayShare ? plans.findIndex(({ address, port }) => address === plan.address && port === plan.port) : -1;
    const other = plans[same];
    if (!other) plans.push(plan);
    else
      plans[same] = {
        ...other,
        clients: other.clients || plan.clients,
        challenges: other.challenges || plan.challenges,
      };
  };
  const nobody = { clients: false, visitors: false, challenges: false };
  add({ ...nobody, flag: "pub-port", address: addresses.public, port: publicPort, visitors: true }, false);
  if (alpnPort !== undefined)
    add({ ...nobody, flag: "alpn-port", address: addresses.alpn, port: alpnPort, challenges: true }, true);
  add({ ...nobody, flag: "api-port", address: addresses.api, port: apiPort, clients: true }, apiPort !== 0);
  return plans;
}
