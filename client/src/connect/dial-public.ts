import { once } from "node:events";
import type net from "node:net";
import tls, { type TLSSocket } from "node:tls";
import { PortholeError } from "@porthole/common/errors";
import { clientIdOf, fingerprint } from "@porthole/common/identity";
import { orAbort, withDeadline, type Clock } from "@porthole/common/util";
import type { PublicAddress } from "./public-address.ts";

const connectMs = 20_000;

export interface DialOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Trust exactly this key, instead of an authority or the client id in the name. */
  readonly fingerprint?: string | undefined;
  readonly alpn?: string | undefined;
}

/**
 * Opens TLS to a public name, with SNI, half-close kept. The key behind it is the pinned one, or the one that the client id in the
 * name is made from; for any other name a public authority has to certify it. Rejects with what went wrong. The caller closes it.
 */
export async function dialPublic(address: PublicAddress, options: DialOptions): Promise<TLSSocket> {
  const { host, port, clientId } = address;
  const isKeyKnown = options.fingerprint !== undefined || clientId !== undefined;
  const socket = tls.connect({
    ...{ host, port, servername: host, allowHalfOpen: true },
    ...(host.endsWith(".localhost") ? thisMachine : {}),
    ...(options.alpn === undefined ? {} : { ALPNProtocols: [options.alpn] }),
    // Judged below, by the key.
    rejectUnauthorized: !isKeyKnown,
    // The types don't know allowHalfOpen here; the documentation does.
  } as tls.ConnectionOptions);
  socket.setNoDelay(true);
  socket.on("error", () => {});
  try {
    const what = `Connecting to ${host}:${port}`;
    await withDeadline({ clock: options.clock, delayMs: connectMs, what, signal: options.signal }, (signal) =>
      orAbort(signal, secured(socket)),
    );
    if (isKeyKnown) checkKey(socket, address, options.fingerprint);
    return socket;
  } catch (reason) {
    socket.destroy();
    throw inWords(reason, address);
  }
}

async function secured(socket: TLSSocket): Promise<void> {
  const ended = once(socket, "close").then(() => {
    throw new PortholeError("closed", "The connection was closed");
  });
  ended.catch(() => {});
  await Promise.race([once(socket, "secureConnect"), ended]);
}

function checkKey(socket: TLSSocket, { host, clientId }: PublicAddress, pin: string | undefined): void {
  const key = socket.getPeerX509Certificate()?.publicKey.export({ type: "spki", format: "der" });
  const shown = key && fingerprint(key);
  if (shown !== undefined && (pin === undefined ? clientIdOf(shown) === clientId : shown === pin)) return;
  throw new PortholeError(
    "untrusted",
    `${host} has another key than ${pin === undefined ? "its name says" : "the given fingerprint"}`,
    {
      hint: "Somebody is in between, or the name belongs to another key now. Nothing was sent.",
    },
  );
}

/** RFC 6761: these names are this machine, whatever its resolver says. */
const thisMachine = {
  lookup: ((_hostname, options, callback) => {
    if (options.all)
      callback(null, [
        { address: "127.0.0.1", family: 4 },
        { address: "::1", family: 6 },
      ]);
    else callback(null, "127.0.0.1", 4);
  }) satisfies net.LookupFunction,
};

function inWords(reason: unknown, { host, port }: PublicAddress): PortholeError {
  if (reason instanceof PortholeError && reason.code !== "closed") return reason;
  const error = reason as NodeJS.ErrnoException & { readonly errors?: readonly NodeJS.ErrnoException[] };
  const code = error.code ?? error.errors?.[0]?.code ?? "";
  const [message, hint] = words(code, host, port);
  return new PortholeError(
    code.startsWith("ERR_TLS") || untrustedCodes.has(code) ? "untrusted" : "unreachable",
    message,
    { hint, cause: reason },
  );
}

const untrustedCodes = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_HAS_EXPIRED",
]);

function words(code: string, host: string, port: number): readonly [message: string, hint: string] {
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return [`${host} has no address in the DNS`, "Check the spelling of the name."];
  if (code === "ECONNREFUSED")
    return [
      `Nothing listens at ${host}:${port}`,
      "Check the port: it is the one in the tunnel's URL, 443 when there is none.",
    ];
  if (untrustedCodes.has(code) || code.startsWith("ERR_TLS"))
    return [
      `The certificate of ${host} is not trusted (${code})`,
      "Its owner has the fingerprint (porthole identity show): add --fingerprint FINGERPRINT.",
    ];
  if (code.includes("UNRECOGNIZED_NAME"))
    return [`Nobody serves ${host} at its relay now`, "Its client may be stopped: porthole ls, on its machine."];
  return [
    `${host}:${port} closed the connection during the TLS handshake`,
    "The relay may not know the name, or its client is busy. Try again.",
  ];
}
