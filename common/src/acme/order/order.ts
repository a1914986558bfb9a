import { PortholeError } from "../../errors.ts";
import type { IdentityKey } from "../../identity/index.ts";
import { sleep, type Clock } from "../../util/index.ts";
import { challengeCertificate, type ChallengeCertificate } from "./challenge-certificate.ts";
import type { AcmeClient, Polled } from "../wire/client.ts";
import { createCsr } from "./csr.ts";
import type { AcmeAuthorization, AcmeOrder } from "../wire/objects.ts";
import { validationError } from "../wire/problem.ts";

const challengeType = "tls-alpn-01";

/** Shows the authority's validators, who come in several connections and from several places, what they want to see. */
export interface ChallengeAnswer {
  /** Resolves once connections with ALPN acme-tls/1 for the name get this certificate. */
  publish(name: string, certificate: ChallengeCertificate): void | Promise<void>;
  withdraw(name: string): void | Promise<void>;
}

export interface OrderRequest {
  readonly name: string;
  /** The certificate's key. It signs the request here and goes nowhere. */
  readonly key: IdentityKey;
  /** The certificate id (RFC 9773) of the one that is to be renewed. */
  readonly replaces?: string | undefined;
}

interface OrderTools {
  readonly client: AcmeClient;
  readonly answer: ChallengeAnswer;
  readonly clock: Clock;
}

/**
 * One certificate for one name (RFC 8555 7.4) by TLS-ALPN-01: order, challenge, signing request, chain as PEM. Nothing is ordered
 * twice here: an authority gives a challenge one chance, so the caller must know that connections for the name arrive.
 */
export async function obtainCertificate(
  tools: OrderTools,
  request: OrderRequest,
  signal: AbortSignal,
): Promise<string> {
  const { client, clock } = tools;
  const { name, key } = request;
  let order = await client.newOrder(request, signal);
  for (const url of order.authorizations) await authorize(tools, name, url, signal);
  const ask = (): Promise<Polled<AcmeOrder>> => client.order(order, signal);
  order = await poll(clock, ask, ({ status }) => status !== "pending" && status !== "processing", signal);
  if (order.status === "ready") {
    const finalized = await client.finalize(order, createCsr(name, key), signal);
    order = await poll(clock, ask, ({ status }) => status !== "ready" && status !== "processing", signal, finalized);
  }
  if (order.status !== "valid" || order.certificate === undefined) throw await gaveUp(client, order, name, signal);
  return await client.certificate(order, signal);
}

async function authorize(tools: OrderTools, name: string, url: string, signal: AbortSignal): Promise<void> {
  const { client, answer, clock } = tools;
  const first = (await client.authorization(url, signal)).value;
  if (first.status === "valid") return; // of an earlier order; authorities reuse them for hours to days
  if (first.status !== "pending") throw failed(name, first);
  const challenge = first.challenges.find(({ type }) => type === challengeType);
  if (!challenge)
    throw new PortholeError(
      "ca",
      `The certificate authority offers no ${challengeType} for ${name}, only ${offered(first)}`,
      {
        hint: "Use another authority: Porthole answers on port 443 only and changes no DNS records.",
      },
    );
  const keyAuthorization = await client.keyAuthorization(challenge, signal);
  await answer.publish(name, challengeCertificate(name, keyAuthorization, clock.now()));
  try {
    await client.respond(challenge, signal);
    const last = await poll(
      clock,
      () => client.authorization(url, signal),
      ({ status }) => status !== "pending",
      signal,
    );
    if (last.status !== "valid") throw failed(name, last);
  } finally {
    await answer.withdraw(name);
  }
}

const firstPauseMs = 100;
const maxPauseMs = 5_000;
const maxAskedPauseMs = 60_000;
const maxMisses = 3;

/** Asks until it is done; the pauses grow, unless the server names them (RFC 8555 7.5.1). The caller's signal has the deadline. */
async function poll<T>(
  clock: Clock,
  ask: () => Promise<Polled<T>>,
  isDone: (value: T) => boolean,
  signal: AbortSignal,
  first?: Polled<T>,
): Promise<T> {
  let answer = first;
  let misses = 0;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 1.6, maxPauseMs)) {
    try {
      answer ??= await ask();
      if (isDone(answer.value)) return answer.value;
    } catch (reason) {
      // The order continues without us: one lost question must not cost it, nor the name one of its few validations.
      const { code } = PortholeError.from(reason);
      if (signal.aborted || (code !== "unreachable" && code !== "timeout") || ++misses > maxMisses) throw reason;
    }
    await sleep(clock, Math.min(answer?.retryAfterMs ?? pauseMs, maxAskedPauseMs), signal);
    answer = undefined;
  }
}

function failed(name: string, authorization: AcmeAuthorization): PortholeError {
  const problem = authorization.challenges.find(({ error }) => error !== undefined)?.error;
  return validationError(name, problem);
}

/** Why an order ended without a certificate: the authority says it of the order, or of one of its authorizations. */
async function gaveUp(client: AcmeClient, order: AcmeOrder, name: string, signal: AbortSignal): Promise<PortholeError> {
  for (const url of order.authorizations) {
    const authorization = (await client.authorization(url, signal)).value;
    if (authorization.status === "invalid") return failed(name, authorization);
  }
  if (order.error) return validationError(name, order.error);
  return new PortholeError("ca", `The certificate authority ended the order for ${name} as "${order.status}"`);
}

function offered({ challenges }: AcmeAuthorization): string {
  return challenges.map(({ type }) => type).join(", ") || "nothing";
}
