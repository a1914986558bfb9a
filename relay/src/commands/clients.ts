import { formatBytes, formatDuration } from "@porthole/common/util";
import type { ClientReport, RelayReport } from "../monitoring/report.ts";
import { admissionOptions, columns, stateDirOf } from "./admission-options.ts";
import { defineCommand } from "./command.ts";
import { askRelay } from "./control.ts";
import { show, watchOption } from "./watch.ts";

/** Prints a table of the connected clients with their traffic. Rejects with `closed` when no relay is running. */
export const clients = defineCommand({
  usage: "clients [--watch]",
  help: "Who is connected: label, names, version, address, bytes",
  example: "porthole-relay clients --watch",
  options: {
    ...admissionOptions,
    watch: watchOption,
  },
  run(values) {
    const stateDir = stateDirOf(values);
    return show(values, async () => {
      const { clients: all } = await askRelay<RelayReport>(stateDir, "status");
      return values.json ? `${JSON.stringify(all.map(rowOf))}\n` : describeClients(all);
    });
  },
});

/** One client in a line. Bytes are those of visitors, in both directions together. */
export interface ClientRow {
  readonly label: string | undefined;
  readonly client: string;
  readonly names: readonly string[];
  readonly software: string;
  /** The addresses without ports. */
  readonly addresses: readonly string[];
  readonly transports: readonly string[];
  /** The age of its oldest link. */
  readonly upMs: number;
  /** Now. */
  readonly visitors: number;
  /** The bytes of the links that are up; of today and this month (UTC); of all time. The last three count all clients of one owner. */
  readonly bytesNow: number;
  readonly bytesToday: number;
  readonly bytesThisMonth: number;
  readonly bytesInTotal: number;
}

/** Returns the sums over all links of a client. */
export function rowOf(client: ClientReport): ClientRow {
  const { links, label, hostnames, software, bytesToday, bytesThisMonth, bytesInTotal } = client;
  return {
    label,
    client: client.client,
    names: hostnames,
    software,
    addresses: [...new Set(links.map(({ from }) => from.replace(/:\d+$/, "").replace(/^\[|\]$/g, "")))],
    transports: [...new Set(links.map(({ transport }) => (transport === "quic" ? "QUIC" : "HTTP/2")))],
    upMs: Math.max(...links.map(({ upMs }) => upMs)),
    visitors: links.reduce((sum, { streams }) => sum + streams, 0),
    bytesNow: links.reduce((sum, { bytesIn, bytesOut }) => sum + bytesIn + bytesOut, 0),
    ...{ bytesToday, bytesThisMonth, bytesInTotal },
  };
}

/** Returns the table for a terminal. */
export function describeClients(clients: readonly ClientReport[]): string {
  if (clients.length === 0) return "No client is connected.\n";
  return columns([
    ["LABEL", "NAMES", "VERSION", "ADDRESS", "TRANSPORT", "UP", "VISITORS", "NOW", "TODAY", "TOTAL"],
    ...clients
      .map(rowOf)
      .map((row) => [
        row.label ?? row.client,
        row.names.join(" "),
        row.software,
        row.addresses.join(" "),
        row.transports.join("+"),
        formatDuration(row.upMs),
        String(row.visitors),
        ...[row.bytesNow, row.bytesToday, row.bytesInTotal].map(formatBytes),
      ]),
  ]);
}
