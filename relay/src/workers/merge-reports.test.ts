import assert from "node:assert/strict";
import type { ClientReport, LinkReport, RelayReport } from "../monitoring/report.ts";
import { mergeReports } from "./merge-reports.ts";

const link = (id: string): LinkReport => ({
  ...{ link: id, transport: "http2", from: "192.0.2.1:1", upMs: 1, streams: 0, visitors: 1 },
  ...{ bytesIn: 10, bytesOut: 20 },
});

function client(name: string, software: string, ...links: readonly string[]): ClientReport {
  return {
    ...{ client: name, hostnames: [`${name}.localhost`], software },
    ...{ bytesToday: 1, bytesThisMonth: 2, bytesInTotal: 3 },
    links: links.map(link),
  };
}

function report(changes: Partial<RelayReport>): RelayReport {
  return {
    ...{ software: "porthole-relay/0", upMs: 5, isDraining: false, fingerprint: "f", certificateExpiresAt: 9 },
    ports: { api: 1, public: 2, alpn: undefined, http: undefined, admin: undefined },
    ...{ quicUnavailable: undefined, quicEngine: undefined, visitors: 1, bytesIn: 10, bytesOut: 20 },
    ...{ clients: [], held: [], cluster: undefined },
    ...changes,
  };
}

describe("reports of workers", () => {
  it("are one report, in which a client of two workers is one client", () => {
    const first = report({ quicEngine: "quiche", clients: [client("a", "x/1", "1", "2"), client("b", "x/1", "3")] });
    const second = report({ upMs: 7, clients: [client("a", "x/2", "4")] });
    const merged = mergeReports(
      [
        { index: 0, pid: 10, restarts: 0, report: first },
        { index: 1, pid: 11, restarts: 2, report: second },
        { index: 2, pid: undefined, restarts: 1, report: undefined },
      ],
      { isDraining: false, admin: 8080 },
    );
    assert.deepEqual(
      merged.clients.map((each) => [
        each.client,
        each.software,
        each.bytesInTotal,
        each.links.map(({ link: id }) => id),
      ]),
      [
        ["a", "x/1, x/2", 6, ["1", "2", "4"]],
        ["b", "x/1", 3, ["3"]],
      ],
    );
    assert.deepEqual([merged.upMs, merged.visitors, merged.bytesIn, merged.bytesOut], [7, 2, 20, 40]);
    assert.deepEqual([merged.ports.admin, merged.quicEngine], [8080, "quiche"]);
    assert.deepEqual(
      merged.workers?.map(({ index, isServing, clients, links, restarts }) => [
        index,
        isServing,
        clients,
        links,
        restarts,
      ]),
      [
        [0, true, 2, 3, 0],
        [1, true, 1, 1, 2],
        [2, false, 0, 0, 1],
      ],
    );
  });
});
