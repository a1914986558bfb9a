import type { AccessSummary, CertificateView, RelayStatusView, RpcErrorData } from "@porthole/tunnel/rpc";
import { translated } from "@porthole/tunnel/requests";
import { t } from "../text.ts";
import type { DaemonStatus } from "./daemon-supervisor.ts";
import { errorText } from "./error-text.ts";
import { endpointOf, failureOf, type Exposure } from "./exposure.ts";

/** A state that a person can tell from all others: by its words, and by its icon. */
export interface Described {
  readonly kind: "busy" | "good" | "degraded" | "bad" | "off";
  /** Two to four words: the status bar has no room for more. */
  readonly text: string;
  /** When something happens by itself. */
  readonly next?: string;
  /** The next step or the reason, as sentences for the hover. */
  readonly detail?: string;
}

/** One line about a port: the best of its relays counts. */
export function describeExposure(exposure: Exposure, daemon: DaemonStatus, now: number): Described {
  if (exposure.phase === "off")
    return exposure.isOffered
      ? { kind: "off", text: t("in this project"), detail: t("The project's settings describe this port.") }
      : { kind: "off", text: t("stopped") };
  if (exposure.phase === "elsewhere")
    return {
      kind: "off",
      text: t("exposed by another window"),
      detail: t("Take it over to see its state and requests here, or stop it."),
    };
  const failure = failureOf(exposure);
  if (failure) return refused(failure);
  if (daemon.status === "waiting")
    return {
      kind: "bad",
      text: daemon.error.code === "state" ? t("can't write its files") : t("tunnel process ended"),
      next: t("next try {0}", timeOf(daemon.nextAttemptAt)),
      detail: errorText(daemon.error),
    };
  // What was said last was said by another process.
  if (daemon.status !== "running") return { kind: "busy", text: t("connecting") };
  const endpoint = endpointOf(exposure);
  const relays = endpoint?.relays.map(({ now: status }) => status) ?? [];
  const online = relays.find(({ status }) => status === "online");
  const toldAt = exposure.toldAt ?? now;
  if (online) {
    if (endpoint?.localUp === false)
      return {
        kind: "degraded",
        text: t("online, but the local port is closed"),
        detail: t("Start the service on {0}; visitors get an error until then.", endpoint.local),
      };
    return describeRelay(online, now, toldAt);
  }
  const waiting = relays.find(({ status }) => status === "waiting") ?? relays.find(({ status }) => status === "failed");
  return waiting ? describeRelay(waiting, now, toldAt) : { kind: "busy", text: t("connecting") };
}

/** One line about a relay. `toldAt` is when its state was reported, in milliseconds since 1970. */
export function describeRelay(status: RelayStatusView, now: number, toldAt = now): Described {
  switch (status.status) {
    case "connecting":
      return { kind: "busy", text: t("connecting") };
    case "online":
      return {
        kind: "good",
        text: status.transport === "quic" ? t("online over QUIC") : t("online over HTTP/2"),
        ...(status.whyNotQuic === undefined
          ? {}
          : { detail: whyNotQuic(status.whyNotQuic, status.nextQuicTryAt, now) }),
      };
    case "waiting":
      return {
        kind: "bad",
        text: t("relay unreachable"),
        next: t("next try {0}", timeOf(toldAt + status.delayMs)),
        detail: errorText(status.error),
      };
    case "failed":
      return refused(status.error);
    case "stopped":
      return { kind: "off", text: t("stopped") };
  }
}

export function describeCertificate(certificate: CertificateView, now: number): Described {
  switch (certificate.status) {
    case "self-signed":
      return {
        kind: "degraded",
        text: t("self-signed certificate"),
        detail: t("Browsers ask before they continue. Compare the fingerprint, or use a relay with a public name."),
      };
    case "pending":
      return { kind: "busy", text: t("certificate pending; self-signed until then") };
    case "valid":
    case "renewing":
      return { kind: "good", text: t("certificate valid for {0} days", days(certificate.notAfter - now)) };
    case "failed": {
      const { notAfter, nextAttemptAt, error } = certificate;
      const next = nextAttemptAt === undefined ? "" : ` ${t("Next attempt {0}.", soon(nextAttemptAt - now))}`;
      return {
        kind: notAfter === undefined ? "degraded" : "good",
        text:
          notAfter === undefined
            ? t("no certificate yet; self-signed until then")
            : t("certificate valid for {0} days, renewal failed", days(notAfter - now)),
        detail: `${errorText(error)}${next}`,
      };
    }
  }
}

/** Returns the access rules in one line. */
export function describeAccess(access: AccessSummary | undefined, now: number): string {
  if (!access) return t("everyone with the URL");
  const kinds = access.credentials.map((each) => {
    if (each === "basic") return t("password");
    if (each === "bearer") return t("token");
    return each === "share" ? t("share link") : t("signed webhooks");
  });
  const limits = [
    ...(access.addresses.length > 0 ? [t("certain addresses")] : []),
    ...(access.paths.length > 0 ? [t("certain paths")] : []),
    ...(access.endsAt === undefined ? [] : [t("until {0}", timeOrDay(access.endsAt, now))]),
  ];
  return [kinds.length > 0 ? kinds.join(", ") : t("everyone with the URL"), ...limits].join(" · ");
}

function timeOrDay(at: number, now: number): string {
  const date = new Date(at);
  return at - now < 86_400_000 ? date.toLocaleTimeString() : date.toLocaleDateString();
}

/** Describes an error that does not go away by itself. */
function refused(error: RpcErrorData): Described {
  return { kind: "bad", text: refusalText(error.code), detail: refusalDetail(error) };
}

function refusalText(code: string): string {
  switch (code) {
    case "unauthorized":
      return t("not admitted");
    case "untrusted":
      return t("relay not trusted");
    case "name":
      return t("name refused");
    case "version":
      return t("versions don't match");
    case "aborted":
      return t("stopped");
    case "usage":
    case "state":
    case "timeout":
      return t("can't be exposed");
    default:
      return t("refused");
  }
}

function refusalDetail(error: RpcErrorData): string {
  if (error.code === "unauthorized") return t("The relay no longer admits you. Ask its host for a new invite.");
  return errorText(error);
}

function whyNotQuic(why: string, nextTryAt: number | undefined, now: number): string {
  const text = translated(why);
  return nextTryAt === undefined ? text : t("{0}; next try {1}", text, soon(nextTryAt - now));
}

function timeOf(at: number): string {
  return new Date(at).toLocaleTimeString();
}

function soon(ms: number): string {
  if (ms < 1_000) return t("now");
  return ms < 90_000 ? t("in {0} s", Math.round(ms / 1_000)) : t("in {0} min", Math.round(ms / 60_000));
}

function days(ms: number): number {
  return Math.max(0, Math.floor(ms / 86_400_000));
}
