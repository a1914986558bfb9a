/** A panel: a number, or lines over time. Queries by their legend. */
interface Panel {
  readonly title: string;
  readonly kind: "stat" | "timeseries";
  /** Grafana's name of the unit. */
  readonly unit: string;
  readonly queries: Readonly<Record<string, string>>;
}

const of = 'instance=~"$instance"';

export const panels: readonly Panel[] = [
  stat("Clients", "short", `sum(porthole_clients{${of}})`),
  stat("Visitors now", "short", `sum(porthole_streams{${of}})`),
  stat("Certificate ends in", "s", `min(porthole_certificate_expires_timestamp_seconds{${of}}) - time()`),
  stat("QUIC serves", "short", `sum(porthole_quic_up{${of}})`),
  stat("QUIC restarts, 24 h", "short", `sum(increase(porthole_quic_restarts_total{${of}}[24h]))`),
  stat("Disk free", "bytes", `min(porthole_state_disk_free_bytes{${of}})`),
  lines("Visitors by outcome", "reqps", {
    "{{outcome}}": `sum by (outcome) (rate(porthole_visitors_total{${of}}[$__rate_interval]))`,
  }),
  lines("Traffic", "Bps", {
    "{{direction}}": `sum by (direction) (rate(porthole_visitor_bytes_total{${of}}[$__rate_interval]))`,
  }),
  lines("Traffic of clients (--client-metrics)", "Bps", {
    "{{client}}": `sum by (client) (rate(porthole_client_bytes_total{${of}}[$__rate_interval]))`,
  }),
  lines("Limits that strike", "reqps", {
    "{{limit}}": `sum by (limit) (rate(porthole_limited_total{${of}}[$__rate_interval])) > 0`,
  }),
  lines("Clients and links", "short", {
    clients: `sum(porthole_clients{${of}})`,
    "links over {{transport}}": `sum by (transport) (porthole_links{${of}})`,
  }),
  lines("Clients refused", "reqps", {
    "{{code}}": `sum by (code) (rate(porthole_clients_refused_total{${of}}[$__rate_interval]))`,
  }),
  lines("Links ended", "reqps", {
    "{{code}}": `sum by (code) (rate(porthole_links_ended_total{${of}}[$__rate_interval]))`,
  }),
  lines("Connections before admission", "short", {
    "visitors' hellos": `sum(porthole_pending_hellos{${of}})`,
    clients: `sum(porthole_pending_clients{${of}})`,
    "TCP connections": `sum(porthole_sockets{${of}})`,
  }),
  lines("Datagrams dropped before QUIC", "pps", {
    "{{reason}}": `sum by (reason) (rate(porthole_quic_dropped_total{${of}}[$__rate_interval]))`,
  }),
  lines("Memory", "bytes", {
    "relay {{instance}}": `process_resident_memory_bytes{${of}} and on(instance) porthole_build_info`,
    "QUIC worker {{instance}}": `porthole_quic_memory_bytes{${of}}`,
    "QUIC worker's limit {{instance}}": `porthole_quic_memory_limit_bytes{${of}}`,
  }),
  lines("Processor of the relay's process", "percentunit", {
    "{{instance}}": `rate(process_cpu_seconds_total{${of}}[$__rate_interval]) and on(instance) porthole_build_info`,
  }),
  lines("Event loop lag, p99", "s", {
    "{{instance}}": `nodejs_eventloop_lag_p99_seconds{${of}} and on(instance) porthole_build_info`,
  }),
  lines("Cluster", "short", {
    "relays heard by {{instance}}": `porthole_cluster_peers_heard{${of}}`,
    "visitors led, {{direction}}": `sum by (direction) (rate(porthole_cluster_forwarded_visitors_total{${of}}[$__rate_interval]))`,
  }),
];

function stat(title: string, unit: string, query: string): Panel {
  return { title, kind: "stat", unit, queries: { "": query } };
}

function lines(title: string, unit: string, queries: Panel["queries"]): Panel {
  return { title, kind: "timeseries", unit, queries };
}

const datasource = { type: "prometheus", uid: "${datasource}" };
const columns = 24;

/** packaging/porthole-dashboard.json, to import into Grafana 10 or newer. */
export function dashboardFile(): string {
  let place = { x: 0, y: 0 };
  let before: Panel["kind"] | undefined;
  const placed = panels.map(({ title, kind, unit, queries }, index) => {
    const size = kind === "stat" ? { w: 4, h: 4 } : { w: 8, h: 8 };
    const isFull = place.x + size.w > columns;
    if (isFull || (before !== undefined && before !== kind)) place = { x: 0, y: place.y + (before === "stat" ? 4 : 8) };
    const gridPos = { ...size, ...place };
    place = { ...place, x: place.x + size.w };
    before = kind;
    return {
      ...{ id: index + 1, title, type: kind, datasource, gridPos },
      fieldConfig: { defaults: { unit, ...(kind === "stat" ? {} : { min: 0 }) }, overrides: [] },
      targets: Object.entries(queries).map(([legendFormat, expr], query) => ({
        ...{ refId: String.fromCodePoint(65 + query), datasource, expr, legendFormat },
      })),
    };
  });
  const dashboard = {
    ...{ uid: "porthole-relay", title: "Porthole relay", tags: ["porthole"], schemaVersion: 39, version: 1 },
    ...{ editable: true, refresh: "30s", time: { from: "now-6h", to: "now" }, timezone: "browser" },
    templating: {
      list: [
        { name: "datasource", label: "Data source", type: "datasource", query: "prometheus" },
        {
          ...{ name: "instance", label: "Relay", type: "query", datasource, refresh: 2 },
          ...{ query: "label_values(porthole_build_info, instance)", includeAll: true, multi: true, allValue: ".*" },
          current: { selected: true, text: "All", value: "$__all" },
        },
      ],
    },
    panels: placed,
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}
