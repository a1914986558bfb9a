import { withFlags } from "@porthole/common/options";
import { styleText } from "node:util";
import type { EndpointView, RelayStatusView } from "@porthole/tunnel/rpc";
import { renderUnicodeCompact } from "uqr";
import { describePublicUrl } from "./public-address.ts";
import type { Reporter } from "./reporter.ts";
import { StatusLine, type TextOutput } from "./status-line.ts";
import { describeAccess, describeCertificate, describeRequest, describeStatus, describeVisit } from "./text.ts";

/** How long a state is held back that another one mostly replaces at once. */
const passingMs = 1_000;

export interface TextReporterOptions {
  readonly qr: boolean;
  /** The names of the tunnels, which begin their lines where there are several. */
  readonly tunnels?: readonly string[];
}

/** For people: ID and URL once they are known, a line for every change and every visitor, a spinner while something is awaited. */
export function createTextReporter(output: TextOutput, options: TextReporterOptions): Reporter {
  const { tunnels = [] } = options;
  const width = Math.max(0, ...tunnels.map((name) => name.length));
  const shown = new Map<string, string>();
  /** What each tunnel waits for. */
  const waiting = new Map<string, string>();
  /** Lines that are soon overtaken by newer ones, mostly. */
  const held = new Map<string, { readonly timer: NodeJS.Timeout; readonly print: () => void }>();
  const status = new StatusLine(output);
  const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
    output.isTerminal ? styleText(style, text) : text;

  function line(text: string): void {
    status.printAbove(`${text}\n`);
  }

  function about(tunnel: string, text: string): void {
    line(tunnels.length > 1 ? `${paint("cyan", tunnel.padEnd(width))}  ${text}` : text);
  }

  /** Prints a thing of a tunnel once, and again only when it has changed, by what it says besides numbers that always change. */
  function once(tunnel: string, key: string, text: string, essence = text): boolean {
    const whole = `${tunnel} ${key}`;
    if (shown.get(whole) === essence) return false;
    shown.set(whole, essence);
    about(tunnel, text);
    return true;
  }

  /** Prints at once, or in a moment if nothing newer of the same key comes before: then that alone is printed. */
  function soon(key: string, isPassing: boolean, print: () => void): void {
    clearTimeout(held.get(key)?.timer);
    held.delete(key);
    if (!isPassing) return print();
    const timer = setTimeout(() => {
      held.delete(key);
      print();
    }, passingMs);
    held.set(key, { timer, print });
  }

  /** The only tunnel's refusal by its last relay is the program's error message. */
  function isLastWord({ relays }: EndpointView): boolean {
    return tunnels.length <= 1 && relays.every(({ now }) => now.status === "failed");
  }

  function showEndpoint(tunnel: string, endpoint: EndpointView): void {
    const { role } = endpoint;
    const prefix = role === "primary" ? "" : "Secondary ";
    once(tunnel, `${role} id`, `${prefix}ID: ${endpoint.clientId}`);
    for (const url of endpoint.urls) {
      const address = describePublicUrl(url, endpoint.local).replace(/(?<=: ).*/, (shown) => paint("bold", shown));
      if (!once(tunnel, `${role} ${url}`, prefix + address)) continue;
      if (options.qr) line(renderUnicodeCompact(url));
    }
    const { access } = endpoint.gateway;
    if (access) once(tunnel, `${role} access`, `${prefix}Access: ${describeAccess(access)}`);
    for (const { address, now } of endpoint.relays) {
      const text = describeStatus(address, now, Date.now());
      if (now.status === "connecting") waiting.set(tunnel, text);
      else if (!isLastWord(endpoint)) {
        const print = (): void =>
          void once(tunnel, `${role} ${address}`, colour(now.status, `${prefix}${text}`), essenceOf(address, now));
        // Over HTTP/2 until QUIC is up.
        soon(`${tunnel} ${role} ${address}`, isFirstMoment(now), print);
      }
      if (now.status === "waiting" && now.hint === "doctor")
        once("", "doctor", paint("dim", "To see which hop fails, run: porthole doctor"));
    }
  }

  function showCertificates(tunnel: string, { role, certificates }: EndpointView): void {
    for (const certificate of certificates) {
      const { status: how, hostname } = certificate;
      const style = how === "valid" ? "green" : how === "failed" ? "yellow" : "dim";
      const key = `${role} certificate ${hostname}`;
      const print = (): void => void once(tunnel, key, paint(style, describeCertificate(certificate)));
      // Until the one that is kept has been read.
      soon(`${tunnel} ${key}`, how === "pending", print);
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
    onState(tunnel, state) {
      waiting.delete(tunnel);
      for (const endpoint of state.endpoints) {
        showEndpoint(tunnel, endpoint);
        showCertificates(tunnel, endpoint);
      }
      const [awaited] = waiting.values();
      if (awaited === undefined) status.clear();
      else status.show(awaited);
    },
    onVisit(tunnel, report) {
      // Its requests have been told.
      if (report.mode !== "http") about(tunnel, paint("dim", describeVisit(report)));
    },
    onRequest: (tunnel, report) =>
      about(tunnel, paint(report.status >= 500 || report.status === 0 ? "yellow" : "dim", describeRequest(report))),
    close() {
      for (const { timer, print } of held.values()) {
        clearTimeout(timer);
        print();
      }
      held.clear();
      status.clear();
    },
  };
}

/** HTTP/2 is up, and QUIC's first attempt is not over. */
function isFirstMoment(now: RelayStatusView): boolean {
  return now.status === "online" && now.whyNotQuic !== undefined && now.nextQuicTryAt === undefined;
}

/** QUIC is tried again and again, at another time each. */
function essenceOf(address: string, now: RelayStatusView): string {
  return describeStatus(address, now.status === "online" ? { ...now, nextQuicTryAt: 0 } : now, 0);
}

function withHint(message: string, fields: object): string {
  return withFlags("hint" in fields && typeof fields.hint === "string" ? `${message}. ${fields.hint}` : message);
}
