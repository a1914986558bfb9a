import { randomUUID, X509Certificate } from "node:crypto";
import { lookup as systemLookup } from "node:dns/promises";
import tls from "node:tls";
import { PortholeError, setting } from "../../errors.ts";
import { alpn } from "../../protocol/protocol.ts";
import { faultText } from "../../util/fault-text.ts";
import { errnoOf } from "../../util/state-file.ts";
import { withDeadline, type Clock } from "../../util/index.ts";
import { challengeCertificate } from "./challenge-certificate.ts";
import type { ChallengeAnswer } from "./order.ts";
import type { ProxyTo } from "../wire/transport.ts";

const connectMs = 10_000;
const validatorsPort = 443;

export interface SelfTestOptions {
  readonly name: string;
  readonly answer: ChallengeAnswer;
  readonly clock: Clock;
  /** The port that validators connect to. Defaults to 443. */
  readonly port?: number;
  /** IP addresses of the name. */
  readonly lookup?: (name: string) => Promise<readonly string[]>;
  readonly proxyTo?: ProxyTo | undefined;
}

/**
 * Comes to the name as a validator would, by its public address and with ALPN acme-tls/1, and looks whether our own answer comes
 * back. It costs no validation; who passes it may order. Rejects with an error that names the hop where it ends: `name` for DNS,
 * `unreachable` for the port, `closed` for what is behind it.
 */
export async function selfTest(options: SelfTestOptions, signal: AbortSignal): Promise<void> {
  const { name, answer, clock } = options;
  // A machine that needs a proxy may not be able to look names up either.
  const connect = options.proxyTo?.({ host: name, port: options.port ?? validatorsPort });
  const addresses = connect ? [name] : await resolve(options);
  const expected = challengeCertificate(name, `self-test ${randomUUID()}`, clock.now());
  const expectedDer = new X509Certificate(expected.certificate).raw;
  await answer.publish(name, expected);
  try {
    const results = await Promise.all(
      addresses.map((address) =>
        knock({ ...options, address, connect, expectedDer }, signal).then(
          () => undefined,
          (reason: unknown) => PortholeError.from(reason),
        ),
      ),
    );
    if (signal.aborted) throw signal.reason;
    // A validator takes any of the addresses. Only what this machine has no way to (IPv6, often) proves nothing.
    const failures = results.filter((result) => result !== undefined);
    const isForeign = failures.filter((failure) => !isOurOwnNetwork(failure));
    const first = isForeign[0] ?? (failures.length === addresses.length ? failures[0] : undefined);
    if (first) throw first;
  } finally {
    await answer.withdraw(name);
  }
}

async function resolve({ name, lookup = lookupAll }: SelfTestOptions): Promise<readonly string[]> {
  try {
    const addresses = await lookup(name);
    if (addresses.length > 0) return addresses;
  } catch (reason) {
    const code = errnoOf(reason);
    if (code === "EAI_AGAIN")
      throw new PortholeError("unreachable", `The address of ${name} can't be looked up`, {
        cause: reason,
        hint: "Check the network.",
      });
    if (code !== "ENOTFOUND" && code !== "ENODATA") throw reason;
  }
  throw new PortholeError("name", `${name} has no address in the DNS`, {
    hint: `Add an A or AAAA record for it (or one for *.${name.slice(name.indexOf(".") + 1)}) that leads to the relay.`,
  });
}

async function lookupAll(name: string): Promise<readonly string[]> {
  return (await systemLookup(name, { all: true })).map(({ address }) => address);
}

interface Knock extends SelfTestOptions {
  readonly address: string;
  /** Through a proxy. */
  readonly connect: ReturnType<ProxyTo>;
  readonly expectedDer: Buffer;
}

async function knock(options: Knock, signal: AbortSignal): Promise<void> {
  const { name, address, port = validatorsPort, connect, clock, expectedDer } = options;
  const where = `${name} (${address}:${port})`;
  const deadline = { clock, delayMs: connectMs, what: `Connecting to ${where}`, signal };
  const proxied = connect && (await withDeadline(deadline, connect));
  const socket = tls.connect({
    ...(proxied ? { socket: proxied } : { host: address, port }),
    servername: name,
    ALPNProtocols: [alpn.acmeChallenge],
    rejectUnauthorized: false, // it is the challenge certificate that we want to see
  });
  let isConnected = proxied !== undefined;
  socket.on("connect", () => (isConnected = true));
  const shaken = new Promise<void>((done, fail) => {
    socket.on("secureConnect", () => done());
    socket.on("error", (reason) => fail(isConnected ? behind(where, reason) : before(where, port, reason)));
    socket.on("close", () => fail(behind(where, "the connection ended")));
  });
  try {
    await withDeadline(deadline, () => shaken);
    if (socket.alpnProtocol !== alpn.acmeChallenge || !socket.getPeerX509Certificate()?.raw.equals(expectedDer))
      throw new PortholeError("closed", `${where} is answered by somebody else`, {
        hint: "Another machine, or another running client with the same key, has this name; look at the DNS records.",
      });
  } catch (reason) {
    if (PortholeError.from(reason).code === "timeout" && !isConnected) throw before(where, port, reason);
    throw reason;
  } finally {
    socket.destroy();
  }
}

function before(where: string, port: number, reason: unknown): PortholeError {
  const what = reason instanceof PortholeError ? "it does not answer" : faultText(reason);
  return new PortholeError("unreachable", `${where} can't be reached from here: ${what}`, {
    cause: reason,
    hint: `The relay has to listen on port ${port} (${setting("alpn-port")}), and firewalls have to let it through.`,
  });
}

/** Alerts are the relay's way to say why: unrecognized_name has no client, no_application_protocol no challenge. */
function behind(where: string, reason: unknown): PortholeError {
  const alert = errnoOf(reason) ?? "";
  const isUnknown = alert.includes("UNRECOGNIZED_NAME");
  return new PortholeError(
    "closed",
    isUnknown
      ? `The relay at ${where} does not know the name`
      : `${where} does not answer challenges: ${faultText(reason)}`,
    {
      cause: reason,
      hint: isUnknown
        ? "The client is not connected to this relay; is the name's address the relay's?"
        : "Look whether a relay of Porthole's is what listens there, and not another server or a proxy that ends TLS.",
    },
  );
}

function isOurOwnNetwork({ cause }: PortholeError): boolean {
  const code = errnoOf(cause);
  return code === "ENETUNREACH" || code === "EHOSTUNREACH" || code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT";
}
