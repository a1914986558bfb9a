import { PortholeError } from "@porthole/common/errors";
import type { Clock } from "@porthole/common/util";
import { connectService, type ConnectOptions, type LocalService } from "./local-service.ts";

/** A service that was restarted may speak something else. */
const holdsMs = 60_000;

interface Found {
  readonly isHttp2: boolean;
  readonly at: number;
}

/**
 * Finds out by ALPN whether an https service gets HTTP/2. HTTP/1.1 is asked for first: WebSockets need it, and nearly every service speaks it. HTTP/2 is
 * for services that speak nothing else, and for visitors that do (gRPC).
 */
export class HttpsProtocols {
  readonly #clock: Clock;
  readonly #found = new Map<string, Found>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Never rejects: a service that does not answer is asked again by the request itself. */
  async isHttp2(service: LocalService, prefersHttp2: boolean, options: ConnectOptions): Promise<boolean> {
    if (service.kind !== "https") return false;
    const key = `${prefersHttp2} ${service.text}`;
    const known = this.#found.get(key);
    if (known && this.#clock.monotonic() - known.at < holdsMs) return known.isHttp2;
    const isHttp2 = prefersHttp2 ? await agrees(service, options) : await insists(service, options);
    if (isHttp2 !== undefined) this.#found.set(key, { isHttp2, at: this.#clock.monotonic() });
    return isHttp2 ?? false;
  }
}

/** Whether it takes HTTP/2 when that is offered alone; undefined when it does not answer. */
async function agrees(service: LocalService, options: ConnectOptions): Promise<boolean | undefined> {
  try {
    const socket = await connectService(service, { ...options, alpn: "h2" });
    socket.destroy();
    return "alpnProtocol" in socket && socket.alpnProtocol === "h2";
  } catch (reason) {
    return refusesAlpn(reason) ? false : undefined;
  }
}

/** Whether it refuses HTTP/1.1 and takes HTTP/2; undefined when it does not answer. */
async function insists(service: LocalService, options: ConnectOptions): Promise<boolean | undefined> {
  try {
    (await connectService(service, { ...options, alpn: "http/1.1" })).destroy();
    return false;
  } catch (reason) {
    return refusesAlpn(reason) ? agrees(service, options) : undefined;
  }
}

/** TLS's alert no_application_protocol (RFC 7301 section 3.2). */
function refusesAlpn(reason: unknown): boolean {
  const cause = reason instanceof PortholeError ? (reason.cause as { readonly code?: string } | undefined) : undefined;
  return cause?.code === "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL";
}
