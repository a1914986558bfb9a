import { withFlags } from "@porthole/common/options";
import type { AccessSummary, CertificateView, RelayStatusView, RequestView, VisitView } from "@porthole/tunnel/rpc";
import { formatBytes, formatDay, formatDuration, formatMinute } from "@porthole/common/util";
import { printable } from "./printable.ts";

/** One line about one relay: what a person must be able to tell apart. */
export function describeStatus(server: string, status: RelayStatusView, now: number): string {
  switch (status.status) {
    case "connecting":
      return `connecting to ${server}`;
    case "online": {
      const connection = status.transport === "quic" ? "QUIC" : "HTTP/2";
      const why = status.whyNotQuic === undefined ? "" : `: ${status.whyNotQuic}`;
      const next = status.nextQuicTryAt === undefined ? "" : `, next try ${soon(status.nextQuicTryAt - now)}`;
      const others = status.otherProcesses === undefined ? "" : `; another process with the same key serves it, too`;
      return `online at ${server} over ${connection}${why}${next}${others}`;
    }
    case "waiting":
      return `${status.error.message}; trying again in ${formatDuration(status.delayMs)}${hintOf(status.error)}`;
    case "failed":
      return `stopped trying ${server}: ${status.error.message}`;
    case "stopped":
      return `stopped`;
  }
}

function hintOf({ hint }: { readonly hint?: string | undefined }): string {
  return hint === undefined ? "" : `. ${withFlags(hint)}`;
}

/** One line about the certificate that visitors of a name see. */
export function describeCertificate(status: CertificateView): string {
  const prefix = `certificate of ${status.hostname}:`;
  switch (status.status) {
    case "self-signed":
      return `${prefix} self-signed, browsers ask before they continue`;
    case "pending":
      return `${prefix} pending, expected in a minute; self-signed until then`;
    case "valid":
      return `${prefix} valid until ${formatDay(status.notAfter)}`;
    case "renewing":
      return `${prefix} being renewed, valid until ${formatDay(status.notAfter)}`;
    case "failed": {
      const next = status.nextAttemptAt === undefined ? "" : `; next attempt at ${formatMinute(status.nextAttemptAt)}`;
      const shown =
        status.notAfter === undefined ? "self-signed until then" : `valid until ${formatDay(status.notAfter)}`;
      return `${prefix} ${status.error.message}${next}; ${shown}`;
    }
  }
}

/** A visitor wrote the method and the path: what could steer a terminal is escaped. */
export function describeRequest({ address, method, path, status, durationMs, error }: RequestView): string {
  const outcome = status === 0 ? (error?.code === "aborted" ? "left" : "broke off") : String(status);
  const shown = path.length > longestPath ? `${path.slice(0, longestPath)}…` : path;
  return `${address}  ${printable(method)} ${printable(shown)}  ${outcome}  ${formatDuration(durationMs)}`;
}

const longestPath = 200;

/** The local service as a URL where it may be one: `http://localhost:3000` for `3000`. */
export function describeLocal(local: string): string {
  if (local.includes("://") || local.startsWith("unix:")) return printable(local);
  return `http://${/^\d+$/.test(local) ? "localhost:" : ""}${printable(local)}`;
}

/** The time of day, 09:05:01. */
export function describeTime(ms: number): string {
  const date = new Date(ms);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}

/** Returns the access rules in one line. */
export function describeAccess({ credentials, addresses, paths, endsAt }: AccessSummary): string {
  const names: Readonly<Record<string, string>> = { basic: "a password", bearer: "a token", share: "a share link" };
  const ways = credentials.map((way) => names[way] ?? `a signature (${way.slice("webhook ".length)})`);
  const parts = [
    ways.length === 0 ? "everybody" : `who has ${ways.join(" or ")}`,
    ...(addresses.length === 0 ? [] : [`from ${addresses.join(", ")}`]),
    ...(paths.length === 0 ? [] : [`to ${paths.join(", ")}`]),
    ...(endsAt === undefined ? [] : [`until ${formatMinute(endsAt)}`]),
  ];
  return `lets in ${parts.join(", ")}`;
}

export function describeVisit(report: VisitView): string {
  const bytes = `${formatBytes(report.bytesIn)} in, ${formatBytes(report.bytesOut)} out`;
  const problem = report.error && report.error.code !== "aborted" ? `  ${report.error.message}` : "";
  return `${report.address}  ${bytes}  ${formatDuration(report.durationMs)}${problem}`;
}

function soon(ms: number): string {
  if (ms < 1_000) return "now";
  return ms < 90_000 ? `in ${Math.round(ms / 1_000)} s` : `in ${Math.round(ms / 60_000)} min`;
}
