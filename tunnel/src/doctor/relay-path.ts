import { lookup } from "node:dns/promises";
import net from "node:net";
import type { ErrorCode } from "@porthole/common/errors";
import type { Dialers, ServerSettings, TransportOutcome, TransportPolicy } from "../tunnel/index.ts";
import {
  faultText,
  failed,
  ok,
  orAbort,
  skipped,
  warning,
  withDeadline,
  type Clock,
  type Finding,
} from "@porthole/common/util";

const connectMs = 5_000;

export async function checkRelayName({ host }: ServerSettings, signal: AbortSignal): Promise<Finding> {
  if (net.isIP(host)) return ok(`${host} is an address.`);
  try {
    const addresses = await orAbort(signal, lookup(host, { all: true }));
    return ok(`${host} is ${addresses.map(({ address }) => address).join(", ")}.`);
  } catch {
    signal.throwIfAborted();
    return failed(
      `${host} has no address: the DNS does not know it, or does not answer.`,
      "Check the spelling of the relay's name, and this machine's network.",
    );
  }
}

export async function checkRelayPort(
  { host, port, text }: ServerSettings,
  clock: Clock,
  signal: AbortSignal,
): Promise<Finding> {
  const socket = net.connect({ host, port });
  try {
    await withDeadline({ clock, delayMs: connectMs, what: "Connecting", signal }, (within) =>
      orAbort(
        within,
        new Promise<void>((resolve, reject) => {
          socket.once("connect", () => resolve());
          socket.once("error", reject);
        }),
      ),
    );
    return ok(`TCP ${text} can be reached.`);
  } catch (reason) {
    signal.throwIfAborted();
    const code = (reason as NodeJS.ErrnoException).code;
    return failed(
      `TCP ${text} can't be reached: ${faultText(reason)}.`,
      code === "ECONNREFUSED"
        ? "The machine is there, the relay is not: ask its operator, or check the port."
        : "A firewall in between may block the port: try another network, or ask for a relay on port 443.",
    );
  } finally {
    socket.on("error", () => {});
    socket.destroy();
  }
}

/** A relay that refuses us over QUIC has been reached over UDP all the same. */
const answersOfRelay: readonly ErrorCode[] = ["unauthorized", "name", "version", "busy", "draining", "limit"];

export function checkUdp(
  quic: TransportOutcome,
  { text }: ServerSettings,
  transport: TransportPolicy,
  dialers?: Pick<Dialers, "quic">,
): Finding {
  if (transport === "h2") return skipped("QUIC is turned off, so UDP is not needed.");
  if (quic.ok || answersOfRelay.includes(quic.error.code)) {
    const { engine, why } = dialers?.quic.available ? dialers.quic : {};
    const by = engine === undefined ? "" : ` Its engine is ${engine}, because ${why}.`;
    return ok(`UDP ${text} can be reached: QUIC works.${by}`);
  }
  const { code, message } = quic.error;
  const say = transport === "quic" ? failed : warning;
  if (code === "unavailable") return say(`${message}.`, "HTTP/2 carries the traffic; nothing needs to be done.");
  if (code === "untrusted")
    return say(
      `UDP ${text} can be reached, and QUIC does not trust the relay (${message}).`,
      "Name the private CA's root in NODE_EXTRA_CA_CERTS. Before Node 22.15 QUIC knows the CAs that come with Node and no other, and such a relay is used over HTTP/2.",
    );
  return say(
    `UDP ${text} does not answer (${message}).`,
    transport === "quic"
      ? "Allow UDP to the relay's port, or choose the transport auto."
      : "HTTP/2 carries the traffic. For QUIC, allow UDP to the relay's port in the firewalls in between.",
  );
}

export function checkTrust(
  http2: TransportOutcome,
  fingerprint: string | undefined,
  { trust, host }: ServerSettings,
): Finding {
  if (!http2.ok && fingerprint === undefined)
    return failed(`The TLS handshake with the relay failed: ${http2.error.message}.`, http2.error.hint);
  if (!http2.ok && http2.error.code === "untrusted") return failed(`${http2.error.message}.`, http2.error.hint);
  switch (trust?.kind) {
    case "pin":
      return ok("The relay has the key that was pinned.");
    case "insecure":
      return warning("Any relay is trusted: others on the path can pose as it.", "Pin the relay's fingerprint.");
    case "first-use":
    case "ca":
    case undefined:
      return ok(
        trust?.kind === "first-use" || net.isIP(host)
          ? `The relay's key is ${fingerprint ?? "known"}.`
          : `The relay has a certificate for ${host}.`,
      );
  }
}

export function checkAdmission(outcome: TransportOutcome): Finding {
  if (outcome.ok) return ok(`The relay lets this identity in, as ${outcome.hostnames.join(", ")}.`);
  const { code, message, hint } = outcome.error;
  return failed(`${message}.`, hint ?? fixes[code] ?? "Ask the relay's operator.");
}

const fixes: Partial<Record<ErrorCode, string>> = {
  unauthorized: "Ask the relay's operator for an invite.",
  name: "Choose another name, or another suffix.",
  version: "Update whichever of the two is older.",
  busy: "Try again later; the relay is at one of its limits.",
};
