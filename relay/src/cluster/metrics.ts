import { Counter, Gauge, type Registry } from "prom-client";
import type { ClusterReport } from "./report.ts";

/** The figures of a relay that is one of several. A lone one has none of them. */
export function registerClusterMetrics(registry: Registry, report: () => ClusterReport): void {
  const registers = [registry];
  const gauge = (name: string, help: string, value: (report: ClusterReport) => number): void => {
    const made: Gauge = new Gauge({
      ...{ name: `porthole_cluster_${name}`, help, registers },
      collect: () => made.set(value(report())),
    });
  };
  gauge("peers", "Other relays of the cluster", ({ peers }) => peers.length);
  gauge(
    "peers_heard",
    "Other relays that tell which names they serve",
    ({ peers }) => peers.filter(({ isHeard }) => isHeard).length,
  );
  gauge("names", "Names that other relays serve", ({ names }) => names);
  gauge("links", "Links between this relay and others", ({ peers }) =>
    peers.reduce((sum, { linksTo, linksFrom }) => sum + linksTo + linksFrom, 0),
  );
  counter(
    "forwarded_visitors_total",
    "Visitors led to another relay (to) or by one (from)",
    ({ visitors }) => visitors,
  );
  counter(
    "forwarded_bytes_total",
    "Bytes of visitors led to another relay (to) or by one (from)",
    (each) => each.bytesIn + each.bytesOut,
  );

  function counter(name: string, help: string, value: (of: ClusterReport["peers"][number]["to"]) => number): void {
    const made: Counter<"direction"> = new Counter({
      ...{ name: `porthole_cluster_${name}`, help, registers, labelNames: ["direction"] },
      collect() {
        made.reset();
        const { peers } = report();
        for (const direction of ["to", "from"] as const)
          made.inc(
            { direction },
            peers.reduce((sum, peer) => sum + value(peer[direction]), 0),
          );
      },
    });
  }
}
