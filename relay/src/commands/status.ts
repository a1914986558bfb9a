import { formatHostPort } from "@porthole/common/options";
import { formatBytes, formatDuration } from "@porthole/common/util";
import type { PeerReport } from "../cluster/report.ts";
import { defineCommand } from "./command.ts";
import type { HeldReport, LinkReport, RelayReport } from "../monitoring/report.ts";
import { admissionOptions, stateDirOf } from "./admission-options.ts";
import { askRelay } from "./control.ts";
import { show, watchOption } from "./watch.ts";

/** `porthole-relay status`: what the running relay answers. Rejects with `closed` when none is running. */
export const status = defineCommand({
  usage: "status [--watch]",
  help: "Clients, links, transports and bytes of the running relay",
  example: "porthole-relay status",
  options: { ...admissionOptions, watch: watchOption },
  run(values) {
    const stateDir = stateDirOf(values);
    return show(values, async () => {
      const report = await askRelay<RelayReport>(stateDir, "status");
      return values.json ? `${JSON.stringify(report)}\n` : describeReport(report);
    });
  },
});

export function describeReport(report: RelayReport): string {
  const { ports, clients } = report;
  const links = clients.flatMap((client) => client.links);
  const streams = links.reduce((sum, link) => sum + link.streams, 0);
  const lines = [
    `${report.software}, up for ${formatDuration(report.upMs)}, ${report.isDraining ? "on its way out" : "serving"}`,
    `ports: clients ${ports.api}, visitors ${ports.public}` +
      (ports.alpn === undefined ? "" : `, challenges ${ports.alpn}`) +
      (ports.http === undefined ? "" : `, redirects ${ports.http}`) +
      (ports.admin === undefined ? "" : `, monitoring ${ports.admin}`),
    `fingerprint: ${report.fingerprint}, certificate until ${new Date(report.certificateExpiresAt).toISOString().slice(0, 10)}`,
    ...(report.quicUnavailable === undefined ? [] : [`no QUIC: ${report.quicUnavailable}`]),
    ...(report.quicEngine === undefined ? [] : [`QUIC engine: ${report.quicEngine}`]),
    `${clients.length} clients on ${links.length} links, ${streams} visitors now, ${report.visitors} since the start; ` +
      `${formatBytes(report.bytesIn)} in, ${formatBytes(report.bytesOut)} out`,
    ...describeWorkers(report.workers),
    ...describeCluster(report.cluster),
    ...describeHeld(report.held),
    ...clients.flatMap(({ client, label, hostnames, links }) => [
      "",
      `${label === undefined ? client : `${client} (${label})`}: ${hostnames.join(", ")}`,
      ...links.map((link) => `  ${describeLink(link)}`),
    ]),
  ];
  return `${lines.join("\n")}\n`;
}

function describeWorkers(workers: RelayReport["workers"]): readonly string[] {
  if (!workers) return [];
  return [
    "",
    `${workers.length} workers:`,
    ...workers.map(({ index, pid, restarts, isServing, clients, links, visitors, ledOn }) =>
      [
        `  ${index}`,
        isServing ? `process ${pid}` : "not serving",
        `${clients} clients on ${links} links`,
        `${visitors} visitors, ${ledOn} of them led on`,
        ...(restarts === 0 ? [] : [`${restarts} restarts`]),
      ].join("  "),
    ),
  ];
}

function describeCluster(cluster: RelayReport["cluster"]): readonly string[] {
  if (!cluster) return [];
  return [
    "",
    `One of ${cluster.peers.length + 1} relays, ${cluster.node} on port ${cluster.port}; the others serve ${cluster.names} names:`,
    ...describeEngine(cluster.engine),
    ...cluster.peers.map((peer) => `  ${describePeer(peer)}`),
  ];
}

function describeEngine(engine: NonNullable<RelayReport["cluster"]>["engine"]): readonly string[] {
  if (!engine) return [];
  const { isConnected, revision, failure } = engine;
  return [
    `  engine ${isConnected ? "connected" : "not connected"}, record ${revision}${failure ? `  ${failure}` : ""}`,
  ];
}

function describePeer(peer: PeerReport): string {
  const { node, host, port, isHeard, isLeaving, failure, linksTo, linksFrom, to, from } = peer;
  return [
    `${node.slice(0, 8)} at ${formatHostPort({ host, port })}`,
    isLeaving ? "on its way out" : isHeard ? "serving" : "not reachable",
    `${peer.clients ?? 0} clients, ${peer.names} names`,
    `${linksTo} links to it, ${linksFrom} from it`,
    `${to.visitors} visitors led there, ${formatBytes(to.bytesIn + to.bytesOut)}`,
    `${from.visitors} from there, ${formatBytes(from.bytesIn + from.bytesOut)}`,
    ...(failure === undefined ? [] : [failure]),
  ].join("  ");
}

function describeHeld(held: readonly HeldReport[]): readonly string[] {
  if (held.length === 0) return [];
  return [
    "",
    "Kept out, because their clients could not be admitted (porthole-relay unblock ADDRESS lets one in again):",
    ...held.map(
      ({ source, leftMs, code, times }) =>
        `  ${source}  for ${formatDuration(leftMs)}  ${times} connections, the last one: ${code}`,
    ),
  ];
}

function describeLink(link: LinkReport): string {
  return [
    link.link,
    link.transport === "quic" ? "QUIC" : "HTTP/2",
    `from ${link.from}`,
    `up for ${formatDuration(link.upMs)}`,
    ...(link.rttMs === undefined ? [] : [`round trip ${formatDuration(link.rttMs)}`]),
    `${link.streams} visitors now, ${link.visitors} ever`,
    `${formatBytes(link.bytesIn)} in, ${formatBytes(link.bytesOut)} out`,
  ].join("  ");
}
