import { withFlags } from "@porthole/common/options";
import { styleText } from "node:util";
import type { EndpointView, RelayStatusView } from "@porthole/tunnel/rpc";
import { renderUnicodeCompact } from "uqr";
import type { Reporter } from "./reporter.ts";
import { StatusLine, type TextOutput } from "./status-line.ts";
import { describeAccess, describeCertificate, describeRequest, describeStatus, describeVisit } from "./text.ts";

/** For people: ID and URL once they are known, a line for every change and every visitor, a spinner while something is awaited. */
export function createTextReporter(output: TextOutput, options: { readonly qr: boolean }): Reporter {
  const shown = new Map<string, string>();
  const status = new StatusLine(output);
  const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
    output.isTerminal ? styleText(style, text) : text;

  function line(text: string): void {
    status.printAbove(`${text}\n`);
  }

  /** Prints a thing once, and again only when it has changed, by what it says besides numbers that always change. */
  function once(key: string, text: string, essence = text): boolean {
    if (shown.get(key) === essence) return false;
    shown.set(key, essence);
    line(text);
    return true;
  }

  function showEndpoint(endpoint: EndpointView): void {
    const { role } = endpoint;
    const prefix = role === "primary" ? "" : "Secondary ";
    once(`${role} id`, `${prefix}ID: ${endpoint.clientId}`);
    for (const url of endpoint.urls) {
      if (!once(`${role} ${url}`, `${prefix}URL: ${paint("bold", url)}`)) continue;
      if (options.qr) line(renderUnicodeCompact(url));
    }
    const { access } = endpoint.gateway;
    if (access) once(`${role} access`, `${prefix}Access: ${describeAccess(access)}`);
    for (const { address, now } of endpoint.relays) {
      const text = describeStatus(address, now, Date.now());
      if (now.status === "connecting") status.show(text);
      else once(`${role} ${address}`, colour(now.status, `${prefix}${text}`), essenceOf(address, now));
      if (now.status === "waiting" && now.hint === "doctor")
        once("doctor", paint("dim", "To see which hop fails, run: porthole doctor"));
    }
  }

  function showCertificates({ role, certificates }: EndpointView): void {
    for (const certificate of certificates) {
      const { status: how, hostname } = certificate;
      const style = how === "valid" ? "green" : how === "failed" ? "yellow" : "dim";
      once(`${role} certificate ${hostname}`, paint(style, describeCertificate(certificate)));
    }
  }

  function colour(state: string, text: string): string {
    return paint(state === "online" ? "green" : state === "stopped" ? "dim" : "yellow", text);
  }

  return {
    onLog({ level, message, fields = {} }) {
      if (level === "info") line(message);
      else if (level !== "debug") line(paint(level === "warn" ? "yellow" : "red", withHint(message, fields)));
    },
    onState(state) {
      const waiting = state.endpoints.some(({ relays }) => relays.some(({ now }) => now.status === "connecting"));
      if (!waiting) status.clear();
      for (const endpoint of state.endpoints) {
        showEndpoint(endpoint);
        showCertificates(endpoint);
      }
    },
    onVisit(report) {
      // Its requests have been told.
      if (report.mode !== "http") line(paint("dim", describeVisit(report)));
    },
    onRequest: (report) =>
      line(paint(report.status >= 500 || report.status === 0 ? "yellow" : "dim", describeRequest(report))),
    close: () => status.clear(),
  };
}

/** QUIC is tried again and again, at another time each. */
function essenceOf(address: string, now: RelayStatusView): string {
  return describeStatus(address, now.status === "online" ? { ...now, nextQuicTryAt: 0 } : now, 0);
}

function withHint(message: string, fields: object): string {
  return withFlags("hint" in fields && typeof fields.hint === "string" ? `${message}. ${fields.hint}` : message);
}
