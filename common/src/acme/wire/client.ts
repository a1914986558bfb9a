import type { Client } from "acme-client";
import type { AxiosAdapter } from "axios";
import { PortholeError } from "../../errors.ts";
import { orAbort, type Clock, type Secret } from "../../util/index.ts";
import { version } from "../../version.ts";
import { adapter, calls, notAcme, type Call, type Session } from "./axios-adapter.ts";
import {
  readAuthorization,
  readDirectory,
  readOrder,
  type AcmeAuthorization,
  type AcmeChallenge,
  type AcmeOrder,
  type Directory,
} from "./objects.ts";
import { answerError, readProblem } from "./problem.ts";
import { retryAfterMs, type AcmeTransport } from "./transport.ts";

/** External account binding (RFC 8555 7.3.4): how an authority ties an ACME account to a customer. */
export interface ExternalAccount {
  readonly kid: string;
  /** base64url, as the authority hands it out. */
  readonly hmacKey: Secret;
}

export interface AcmeClientOptions {
  readonly directoryUrl: string;
  /** PKCS#8. The account's key, never a certificate's. */
  readonly accountKeyPem: string;
  readonly accountUrl?: string | undefined;
  readonly externalAccount?: ExternalAccount | undefined;
  readonly transport: AcmeTransport;
  readonly clock: Clock;
}

/** A response's value, and the time after which the server wants to be asked again. */
export interface Polled<T> {
  readonly value: T;
  readonly retryAfterMs: number | undefined;
}

/**
 * One account at one certificate authority (RFC 8555). acme-client signs and knows the resources; everything that touches the
 * network, time or errors is ours. Each call rejects with a PortholeError whose cause is the AcmeProblem, if there was one.
 */
export class AcmeClient {
  readonly directoryUrl: string;
  readonly #options: AcmeClientOptions;
  readonly #session: Session;
  #client: Promise<Client> | undefined;
  #directory: Directory | undefined;

  constructor(options: AcmeClientOptions) {
    this.directoryUrl = options.directoryUrl;
    this.#options = options;
    const userAgent = `porthole/${version} acme-client/5.4.0`;
    this.#session = { transport: options.transport, clock: options.clock, userAgent, nonces: [] };
  }

  async directory(signal: AbortSignal): Promise<Directory> {
    this.#directory ??= readDirectory((await this.#get(this.directoryUrl, signal)).value, this.directoryUrl);
    return this.#directory;
  }

  /** Registers the key (RFC 8555 7.3) and agrees to the terms of service; returns the account's URL. */
  async register(email: string | undefined, signal: AbortSignal): Promise<string> {
    const contact = email === undefined ? {} : { contact: [`mailto:${email}`] };
    return await this.#account({ termsOfServiceAgreed: true, ...contact }, signal);
  }

  /** The URL of the account that the key has already (RFC 8555 7.3.1); `accountDoesNotExist` when there is none. */
  async find(signal: AbortSignal): Promise<string> {
    return await this.#account({ onlyReturnExisting: true }, signal);
  }

  async updateContact(email: string, signal: AbortSignal): Promise<void> {
    await this.#call(signal, (client) => client.updateAccount({ contact: [`mailto:${email}`] }));
  }

  /** `replaces` is RFC 9773's certificate id. */
  async newOrder(
    { name, replaces }: { readonly name: string; readonly replaces?: string | undefined },
    signal: AbortSignal,
  ): Promise<AcmeOrder> {
    const request = { identifiers: [{ type: "dns", value: name }], ...(replaces !== undefined && { replaces }) };
    return readOrder((await this.#call(signal, (client) => client.createOrder(request))).value, this.directoryUrl);
  }

  async order(order: AcmeOrder, signal: AbortSignal): Promise<Polled<AcmeOrder>> {
    const polled = await this.#call(signal, (client) => client.getOrder(forLibrary(order)));
    return { ...polled, value: readOrder(polled.value, this.directoryUrl) };
  }

  async authorization(url: string, signal: AbortSignal): Promise<Polled<AcmeAuthorization>> {
    const order = forLibrary({ url, status: "pending", authorizations: [url], finalize: url });
    const polled = await this.#call(signal, (client) => client.getAuthorizations(order));
    return { ...polled, value: readAuthorization(polled.value[0], this.directoryUrl) };
  }

  /** RFC 8555 8.1: the token with the account key's thumbprint, which the challenge's answer has to prove. */
  async keyAuthorization(challenge: AcmeChallenge, signal: AbortSignal): Promise<string> {
    return (await this.#call(signal, (client) => client.getChallengeKeyAuthorization(challenge as never))).value;
  }

  /** Notifies the authority that it may validate the challenge. */
  async respond(challenge: AcmeChallenge, signal: AbortSignal): Promise<void> {
    await this.#call(signal, (client) => client.completeChallenge(challenge as never));
  }

  async finalize(order: AcmeOrder, csrPem: string, signal: AbortSignal): Promise<Polled<AcmeOrder>> {
    const polled = await this.#call(signal, (client) => client.finalizeOrder(forLibrary(order), csrPem));
    return { ...polled, value: readOrder(polled.value, this.directoryUrl) };
  }

  /** The chain as PEM, the certificate itself first. The order has to be `valid`. */
  async certificate(order: AcmeOrder, signal: AbortSignal): Promise<string> {
    const chain: unknown = (await this.#call(signal, (client) => client.getCertificate(forLibrary(order)))).value;
    if (typeof chain === "string") return chain;
    throw notAcme(this.directoryUrl, "the certificate is no text");
  }

  /** Returns the renewal information at a URL below the directory's `renewalInfo` (RFC 9773 section 4.1). The request is not signed. */
  async renewalInfo(url: string, signal: AbortSignal): Promise<Polled<unknown>> {
    return await this.#get(url, signal);
  }

  async #account(request: object, signal: AbortSignal): Promise<string> {
    const { value } = await this.#call(signal, async (client) => {
      await client.createAccount(request);
      return client.getAccountUrl();
    });
    return value;
  }

  async #get(url: string, signal: AbortSignal): Promise<Polled<unknown>> {
    const { transport, userAgent, clock } = this.#session;
    const answer = await transport.request({ method: "GET", url, headers: { "user-agent": userAgent } }, signal);
    const waitMs = retryAfterMs(answer.headers["retry-after"], clock.now());
    let value: unknown;
    try {
      value = JSON.parse(answer.body);
    } catch {
      if (answer.status < 400) throw notAcme(url, `status ${answer.status}, and the text is not JSON`);
    }
    if (answer.status >= 400) throw answerError(new URL(url).host, readProblem(answer.status, value), waitMs);
    return { value, retryAfterMs: waitMs };
  }

  async #call<T>(signal: AbortSignal, work: (client: Client) => Promise<T>): Promise<Polled<T>> {
    const call: Call = { session: this.#session, signal, badNonces: 0, retryAfterMs: undefined };
    try {
      this.#client ??= this.#load();
      const client = await this.#client;
      const value = await orAbort(
        signal,
        calls.run(call, () => work(client)),
      );
      return { value, retryAfterMs: call.retryAfterMs };
    } catch (reason) {
      if (signal.aborted) throw signal.reason;
      if (reason instanceof PortholeError) throw reason;
      // What acme-client throws by itself: an object of the server's lacked something.
      throw new PortholeError("protocol", `The certificate authority's answer can't be used: ${String(reason)}`, {
        cause: reason,
      });
    }
  }

  /** Loading it takes 200 ms, which only those pay who order something. */
  async #load(): Promise<Client> {
    const { directoryUrl, accountKeyPem, accountUrl, externalAccount } = this.#options;
    const acme = await import("acme-client");
    acme.axios.defaults.adapter = adapter as AxiosAdapter;
    return new acme.Client({
      directoryUrl,
      accountKey: accountKeyPem,
      ...(accountUrl !== undefined && { accountUrl }),
      ...(externalAccount && {
        externalAccountBinding: { kid: externalAccount.kid, hmacKey: externalAccount.hmacKey.reveal() },
      }),
    });
  }
}

/** acme-client's types know neither our readonly arrays nor `tls-alpn-01`. It reads these objects and no more. */
function forLibrary(order: AcmeOrder): Parameters<Client["getOrder"]>[0] {
  return order as unknown as Parameters<Client["getOrder"]>[0];
}
