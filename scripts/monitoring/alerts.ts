import { cell } from "./cell.ts";

export interface Alert {
  readonly name: string;
  /** PromQL. */
  readonly when: string;
  /** How long it has to hold, as Prometheus writes it. */
  readonly lasts: string;
  readonly severity: "critical" | "warning";
  readonly because: string;
}

/** What is worth an alert: the source of packaging/porthole.rules.yml and of the table in docs/operating.md. */
export const alerts: readonly Alert[] = [
  {
    name: "PortholeGone",
    when: "absent(porthole_build_info)",
    lasts: "2m",
    severity: "critical",
    because: "no relay answers Prometheus",
  },
  {
    name: "PortholeCertificateExpires",
    when: "porthole_certificate_expires_timestamp_seconds - time() < 7 * 86400",
    lasts: "10m",
    severity: "critical",
    because: "renewal has been failing for weeks; the log and porthole-relay events say why",
  },
  {
    name: "PortholeDiskFull",
    when: "porthole_state_disk_free_bytes < 0.05 * porthole_state_disk_size_bytes",
    lasts: "5m",
    severity: "critical",
    because: "the relay can't write down who joins, its certificates and what clients have carried",
  },
  {
    name: "PortholeClientsLost",
    when: "porthole_clients < 0.5 * (porthole_clients offset 5m)",
    lasts: "1m",
    severity: "critical",
    because: "the network, or a certificate that clients don't trust any more",
  },
  {
    name: "PortholeLinksTimeOut",
    when: 'rate(porthole_links_ended_total{code="timeout"}[5m]) > ignoring(code) 0.1 * porthole_links / 300',
    lasts: "5m",
    severity: "warning",
    because: "links die in silence: packets are lost, or the machine is out of breath",
  },
  {
    name: "PortholeClientFull",
    when: 'rate(porthole_visitors_total{outcome="full"}[5m]) > 0',
    lasts: "5m",
    severity: "warning",
    because: "a client has more visitors than its links can carry",
  },
  {
    name: "PortholeVisitorsRefused",
    when:
      'sum without(outcome) (rate(porthole_visitors_total{outcome=~"full|limited"}[5m])) > ' +
      "0.05 * sum without(outcome) (rate(porthole_visitors_total[5m]))",
    lasts: "5m",
    severity: "warning",
    because: "one visitor in twenty is turned away by a limit or a busy client",
  },
  {
    name: "PortholeLimitReached",
    when: "rate(porthole_limited_total[5m]) > 1",
    lasts: "5m",
    severity: "warning",
    because: "an attack, or a limit that is too low for what you do: the label says which one",
  },
  {
    name: "PortholeQuicRestarts",
    when: "increase(porthole_quic_restarts_total[1h]) > 3",
    lasts: "0m",
    severity: "warning",
    because: "the QUIC process hangs, crashes or fills its memory; the log says which. Clients continue over HTTP/2",
  },
  {
    name: "PortholeQuicDown",
    when: "max_over_time(porthole_quic_up[10m]) == 0",
    lasts: "5m",
    severity: "warning",
    because: "QUIC is not served, and every client is on HTTP/2; the log says why, or porthole-relay status",
  },
  {
    name: "PortholeUdpFlood",
    when: "sum without(reason) (rate(porthole_quic_dropped_total[5m])) > 1000",
    lasts: "5m",
    severity: "warning",
    because: "somebody floods the UDP port. It costs a part of one processor and nothing else",
  },
  {
    name: "PortholeEventLoopLag",
    when: "nodejs_eventloop_lag_p99_seconds > 0.2 and on(instance) porthole_build_info",
    lasts: "5m",
    severity: "warning",
    because: "one core is not enough; everything waits",
  },
  {
    name: "PortholeOpenFiles",
    when: "process_open_fds / process_max_fds > 0.8 and on(instance) porthole_build_info",
    lasts: "5m",
    severity: "warning",
    because:
      "raise the limit of open files (LimitNOFILE); each visitor takes one, each link another, each visitor over QUIC two (and one of the QUIC process)",
  },
];

/** packaging/porthole.rules.yml. */
export function rulesFile(): string {
  const rules = alerts.map(({ name, when, lasts, severity, because }) =>
    [
      `      - alert: ${name}`,
      "        expr: |-",
      `          ${when}`,
      `        for: ${lasts}`,
      "        labels:",
      `          severity: ${severity}`,
      "        annotations:",
      `          summary: ${JSON.stringify(because)}`,
    ].join("\n"),
  );
  return [
    "# Alerts on a relay of Porthole for Prometheus; docs/operating.md explains them.",
    "# Made by `npm run docs` from scripts/monitoring/alerts.ts.",
    "groups:",
    "  - name: porthole",
    "    rules:",
    ...rules,
    "",
  ].join("\n");
}

/** The table of alerts in docs/operating.md. */
export function alertsTable(): string {
  const rows = alerts.map(
    ({ name, when, lasts, because }) => `| \`${name}\` | \`${cell(when)}\` | ${lasts} | ${cell(because)} |`,
  );
  return ["| alert | when | for | because |", "| --- | --- | --- | --- |", ...rows, ""].join("\n");
}
