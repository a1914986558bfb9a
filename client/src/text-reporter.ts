import { withFlags } from "@porthole/common/options";
import { styleText } from "node:util";
import type { EndpointView, RelayStatusView } from "@porthole/tunnel/rpc";
import { renderUnicodeCompact } from "uqr";
import { Held } from "./held.ts";
import { describePublicUrl } from "./public-address.ts";
import type { Reporter } from "./reporter.ts";
import { StatusLine, type TextOutput } from "./status-line.ts";
import {
  describeAccess,
  describeCertificate,
  describeLocal,
  describeRequest,
  describeStatus,
  describeTime,
  describeVisit,
} from "./text.ts";

export interface TextReporterOptions {
  readonly qr: boolean;
  /** The names of the tunnels, which begin their lines where there are several. */
  readonly tunnels?: readonly string[];
}

/**
 * For people. On a terminal: each URL with the service that it leads to, what to press, and a line with the time for every visitor,
 * below them a spinner while something is awaited. Elsewhere plain lines, `ID: ` and `URL: ` among them.
 */
export function createTextReporter(output: TextOutput, options: TextReporterOptions): Reporter {
  const { tunnels = [] } = options;
  const { isTerminal } = output;
  const width = Math.max(0, ...tunnels.map((name) => name.length));
  const shown = new Map<string, string>();
  /** The thing that each tunnel waits for, in words. */
  const waiting = new Map<string, string>();
  const greeted = new Set<string>();
  const status = new StatusLine(output);
  const held = new Held();
  const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
    isTerminal ? styleText(style, text) : text;

  function line(text: string): void {
    status.printAbove(`${text}\n`);
  }

  function about(tunnel: string, text: string): void {
    line(tunnels.length > 1 && tunnel !== "" ? `${paint("cyan", tunnel.padEnd(width))}  ${text}` : text);
  }

  /** Prints a thing of a tunnel once, and again only when it has changed, by what it says besides numbers that always change. */
  function once(tunnel: string, key: string, text: string, essence = text): boolean {
    const whole = `${tunnel} ${key}`;
    if (shown.get(whole) === essence) return false;
    shown.set(whole, essence);
    about(tunnel, text);
    return true;
  }

  /** The only tunnel's refusal by its last relay is the program's error message. */
  function isLastWord({ relays }: EndpointView): boolean {
    return tunnels.length <= 1 && relays.every(({ now }) => now.status === "failed");
  }

  function showEndpoint(tunnel: string, endpoint: EndpointView): void {
    const { role } = endpoint;
    const prefix = role === "primary" ? "" : "Secondary ";
    if (!isTerminal) once(tunnel, `${role} id`, `${prefix}ID: ${endpoint.clientId}`);
    for (const url of endpoint.urls) showUrl(tunnel, endpoint, prefix, url);
    const { access } = endpoint.gateway;
    if (access) once(tunnel, `${role} access`, `${prefix}Access: ${describeAccess(access)}`);
    showLocal(tunnel, endpoint, `${prefix}${describeLocal(endpoint.local)}`);
    for (const { address, now } of endpoint.relays) {
      const text = describeStatus(address, now, Date.now());
      if (now.status === "connecting") waiting.set(tunnel, text);
      else if (!isLastWord(endpoint)) {
        const print = (): void =>
          void once(tunnel, `${role} ${address}`, colour(now.status, `${prefix}${text}`), essenceOf(address, now));
        // Over HTTP/2 until QUIC is up.
        held.print(`${tunnel} ${role} ${address}`, isFirstMoment(now), print);
      }
      if (now.status === "waiting" && now.hint === "doctor")
        once("", "doctor", paint("dim", "To see which hop fails, run: porthole doctor"));
    }
  }

  function showUrl(tunnel: string, { role, local }: EndpointView, prefix: string, url: string): void {
    const [label = "", address = ""] = describePublicUrl(url, local).split(/(?<=^[A-Z][a-z]+|^URL): /);
    const text = isTerminal
      ? `${prefix}${paint("bold", address)} → ${describeLocal(local)}`
      : `${prefix}${label}: ${address}`;
    if (!once(tunnel, `${role} ${url}`, text)) return;
    if (isTerminal && local.startsWith("tcp://"))
      about(tunnel, paint("dim", `Programs without TLS: porthole connect ${url.replace("https://", "")}`));
    if (options.qr) line(renderUnicodeCompact(url));
  }

  /** A service that has listened all the time needs no word. */
  function showLocal(tunnel: string, { role, localUp }: EndpointView, local: string): void {
    const key = `${role} local`;
    const wasDown = shown.has(`${tunnel} ${key}`);
    if (localUp === false)
      once(
        tunnel,
        key,
        paint("yellow", `Nothing listens at ${local} yet. Visitors get through as soon as it does.`),
        "down",
      );
    else if (localUp && wasDown) once(tunnel, key, paint("green", `${local} listens.`), "up");
  }

  function showCertificates(tunnel: string, { role, certificates }: EndpointView): void {
    for (const certificate of certificates) {
      const { status: how, hostname } = certificate;
      const style = how === "valid" ? "green" : how === "failed" ? "yellow" : "dim";
      const key = `${role} certificate ${hostname}`;
      const print = (): void => void once(tunnel, key, paint(style, describeCertificate(certificate)));
      // Until the one that is kept has been read.
      held.print(`${tunnel} ${key}`, how === "pending", print);
    }
  }

  /** Says on a terminal what to press, once every tunnel has its URL. */
  function greet(tunnel: string, { urls }: EndpointView): void {
    const isLast = urls.length > 0 && !greeted.has(tunnel) && greeted.size + 1 >= tunnels.length;
    if (urls.length > 0) greeted.add(tunnel);
    if (!isTerminal || !isLast) return;
    const many = tunnels.length > 1;
    line(
      paint("dim", `Ctrl-C ends ${many ? "them" : "it"}. In another terminal: porthole inspect --web shows requests.`),
    );
  }

  function colour(state: string, text: string): string {
    return paint(state === "online" ? "green" : state === "stopped" ? "dim" : "yellow", text);
  }

  /** A terminal shows visitors beside other lines, so they have a time. Elsewhere the reader of the lines adds it. */
  function visited(tunnel: string, text: string, style: "dim" | "yellow"): void {
    about(tunnel, paint(style, isTerminal ? `${describeTime(Date.now())}  ${text}` : text));
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
      const [first] = state.endpoints;
      if (first) greet(tunnel, first);
      const [awaited] = waiting.values();
      if (awaited === undefined) status.clear();
      else status.show(awaited);
    },
    onVisit(tunnel, report) {
      // Its requests have been told.
      if (report.mode !== "http") visited(tunnel, describeVisit(report), "dim");
    },
    onRequest: (tunnel, report) =>
      visited(tunnel, describeRequest(report), report.status >= 500 || report.status === 0 ? "yellow" : "dim"),
    close() {
      held.close();
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
