import { PortholeError } from "@porthole/common/errors";
import type { ClientReport, RelayReport } from "../monitoring/report.ts";

/** A worker and its report; undefined while it does not serve. */
export interface ReportedWorker {
  readonly index: number;
  readonly pid: number | undefined;
  readonly restarts: number;
  readonly report: RelayReport | undefined;
}

/** The report of the relay as a whole. Throws `internal` when no worker reports. */
export function mergeReports(
  workers: readonly ReportedWorker[],
  { isDraining, admin }: { readonly isDraining: boolean; readonly admin: number | undefined },
): RelayReport {
  const reports = workers.flatMap(({ report }) => (report ? [report] : []));
  const [first] = reports;
  if (!first) throw new PortholeError("internal", "No worker reports");
  const sum = (of: (report: RelayReport) => number): number => reports.reduce((all, each) => all + of(each), 0);
  return {
    ...first,
    upMs: Math.max(...reports.map(({ upMs }) => upMs)),
    isDraining,
    ports: { ...first.ports, admin },
    visitors: sum(({ visitors }) => visitors),
    bytesIn: sum(({ bytesIn }) => bytesIn),
    bytesOut: sum(({ bytesOut }) => bytesOut),
    clients: mergeClients(reports.flatMap(({ clients }) => clients)),
    held: reports.flatMap(({ held }) => held),
    cluster: first.cluster?.engine ? first.cluster : undefined,
    workers: workers.map(({ index, pid, restarts, report }) => ({
      ...{ index, pid, restarts, isServing: report !== undefined },
      clients: report?.clients.length ?? 0,
      links: report?.clients.reduce((all, { links }) => all + links.length, 0) ?? 0,
      visitors: report?.visitors ?? 0,
      ledOn: report?.cluster?.peers.reduce((all, { to }) => all + to.visitors, 0) ?? 0,
    })),
  };
}

/** A client may have links to several workers. */
function mergeClients(all: readonly ClientReport[]): ClientReport[] {
  const merged = new Map<string, ClientReport>();
  for (const report of all) {
    const known = merged.get(report.client);
    merged.set(report.client, known ? both(known, report) : report);
  }
  return [...merged.values()];
}

function both(a: ClientReport, b: ClientReport): ClientReport {
  const software = new Set([a, b].flatMap((each) => each.software.split(", ")));
  return {
    ...a,
    hostnames: [...new Set([...a.hostnames, ...b.hostnames])],
    software: [...software].join(", "),
    bytesToday: a.bytesToday + b.bytesToday,
    bytesThisMonth: a.bytesThisMonth + b.bytesThisMonth,
    bytesInTotal: a.bytesInTotal + b.bytesInTotal,
    links: [...a.links, ...b.links],
  };
}
