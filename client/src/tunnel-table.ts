import type { EndpointView, TunnelInfo } from "@porthole/tunnel/rpc";
import { printable } from "./printable.ts";

/** One endpoint in the table of `porthole ls`. */
export interface TunnelRow {
  readonly name: string;
  /** Absent before a relay has said it. */
  readonly url?: string;
  readonly local: string;
  readonly state: string;
}

export function rowsOf({ id, state }: TunnelInfo): readonly TunnelRow[] {
  return state.endpoints.map((endpoint) => {
    const [url] = endpoint.urls;
    return {
      name: endpoint.role === "primary" ? id : `${id} (secondary)`,
      ...(url === undefined ? {} : { url }),
      local: endpoint.local,
      state: state.ended ? "ended" : stateOf(endpoint),
    };
  });
}

/** Returns the tunnels as a table with headings. */
export function tableOf(tunnels: readonly TunnelInfo[]): string {
  const rows = tunnels.flatMap((tunnel) => rowsOf(tunnel));
  if (rows.length === 0) return "No tunnel is running.\n";
  const cells = rows.map(({ name, url = "-", local, state }) => [name, url, local, state].map(printable));
  const lines = [["NAME", "URL", "LOCAL", "STATE"], ...cells];
  const widths = [0, 1, 2].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) => `${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}\n`).join("");
}

function stateOf({ relays, localUp }: EndpointView): string {
  const statuses = relays.map(({ now }) => now.status);
  const [best = "stopped"] = (["online", "connecting", "waiting", "failed", "stopped"] as const).filter((status) =>
    statuses.includes(status),
  );
  return localUp === false ? `${best}, nothing listens at the local port` : best;
}
