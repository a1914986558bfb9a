import tls from "node:tls";
import { PortholeError } from "@porthole/common/errors";
import {
  failed,
  ok,
  openSslReason,
  orAbort,
  warning,
  withDeadline,
  type Clock,
  type Finding,
} from "@porthole/common/util";
import { firstBytes } from "./first-bytes.ts";
import { isLocalhostName } from "./public-name.ts";

const visitMs = 15_000;

export interface WholePathOptions {
  readonly url: URL;
  /** The relay's host, where names under localhost lead to. */
  readonly relayHost: string;
  /** The hash of the certificate that visitors should see, hex with colons. */
  readonly sha256: string | undefined;
  /** Whether to ask for / as a browser does. */
  readonly speaksHttp: boolean;
  readonly clock: Clock;
}

/** Comes to the public name as a visitor does, from this machine. */
export async function checkWholePath(options: WholePathOptions, signal: AbortSignal): Promise<Finding> {
  const { url, relayHost, sha256, speaksHttp, clock } = options;
  const { hostname } = url;
  const startedAt = clock.monotonic();
  const socket = tls.connect({
    host: isLocalhostName(hostname) ? relayHost : hostname,
    port: Number(url.port || 443),
    servername: hostname,
    // Which certificate it is, is what is looked at.
    rejectUnauthorized: false,
  });
  socket.on("error", () => {});
  try {
    return await withDeadline({ clock, delayMs: visitMs, what: "The visit", signal }, async (within) => {
      await orAbort(within, connected(socket));
      const seen = socket.getPeerCertificate().fingerprint256;
      if (sha256 !== undefined && seen !== sha256)
        return failed(
          `${url.host} shows another certificate than ours (${seen}).`,
          "The name leads to another machine, or something in between ends TLS: check the DNS and whatever proxy this network has.",
        );
      if (!speaksHttp) return ok(`${url.host} can be reached, and TLS ends here.`);
      socket.write(`GET / HTTP/1.1\r\nHost: ${url.host}\r\nConnection: close\r\nUser-Agent: porthole-doctor\r\n\r\n`);
      const answer = await orAbort(within, firstBytes(socket));
      return findingOf(url, answer, clock.monotonic() - startedAt);
    });
  } catch (reason) {
    signal.throwIfAborted();
    const { message } = PortholeError.from(reason);
    return failed(
      `A visit of ${url.origin} failed: ${message}.`,
      "Visitors from elsewhere may fare better: some routers don't let a machine reach its own public address.",
    );
  } finally {
    socket.destroy();
  }
}

function findingOf({ origin }: URL, answer: string, tookMs: number): Finding {
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(answer)?.[1]);
  if (!status)
    return failed(`${origin} answers with something else than HTTP.`, "Is the local service meant to speak HTTP?");
  const page = /^porthole-page: ([\w-]+)/im.exec(answer)?.[1];
  const finding = `${origin} answers with status ${status}, in ${Math.round(tookMs)} ms.`;
  if (page === "unauthorized") return ok(`${finding} Visitors are asked who they are.`);
  if (page !== undefined) return warning(`${finding} It is a page of Porthole's own (${page}).`);
  return status >= 500 ? warning(finding, "The local service has a fault of its own.") : ok(finding);
}

function connected(socket: tls.TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("secureConnect", () => resolve());
    socket.once("error", (cause) =>
      reject(new PortholeError("unreachable", `No TLS could be agreed on${openSslReason(cause)}`, { cause })),
    );
    socket.once("close", () => reject(new PortholeError("closed", "The relay ended the connection")));
  });
}
