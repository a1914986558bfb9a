import type { RequestReport } from "../../http/index.ts";
import type { CertificateStatus, EndpointState, RelayStatus, VisitReport } from "../../tunnel/index.ts";
import type { CertificateView, EndpointView, RelayStatusView, RequestView, VisitView } from "../contract.ts";
import { rpcErrorData } from "../errors.ts";

/** What the state does not say: whether the local service answers, and the URLs of relays that are away just now. */
export interface EndpointExtras {
  readonly localUp: boolean | undefined;
  readonly urls: readonly string[];
}

export function endpointView(state: EndpointState, { localUp, urls }: EndpointExtras): EndpointView {
  return {
    role: state.role,
    clientId: state.clientId,
    fingerprint: state.fingerprint,
    local: state.local,
    ...(localUp === undefined ? {} : { localUp }),
    urls,
    relays: state.relays.map(({ server, now }) => ({ address: server, now: relayStatusView(now) })),
    gateway: state.gateway,
    certificates: state.certificates.map(({ hostname, sha256, now }) => certificateView(hostname, sha256, now)),
  };
}

function relayStatusView(status: RelayStatus): RelayStatusView {
  switch (status.status) {
    case "waiting":
    case "failed":
      return { ...status, error: rpcErrorData(status.error) };
    case "connecting":
    case "online":
    case "stopped":
      return status;
  }
}

function certificateView(hostname: string, sha256: string, now: CertificateStatus): CertificateView {
  switch (now.status) {
    case "self-signed":
    case "pending":
      return { hostname, sha256, status: now.status };
    case "valid":
    case "renewing":
      return { hostname, sha256, status: "valid", expiresAt: now.notAfter };
    case "failed":
      return {
        hostname,
        sha256,
        status: "failed",
        error: rpcErrorData(now.error),
        ...(now.notAfter === undefined ? {} : { expiresAt: now.notAfter }),
        ...(now.nextAttemptAt === undefined ? {} : { nextAttemptAt: now.nextAttemptAt }),
      };
  }
}

export function requestView({ error, ...report }: RequestReport): RequestView {
  return { ...report, ...(error ? { error: rpcErrorData(error) } : {}) };
}

export function visitView({ error, ...report }: VisitReport): VisitView {
  return { ...report, ...(error ? { error: rpcErrorData(error) } : {}) };
}
