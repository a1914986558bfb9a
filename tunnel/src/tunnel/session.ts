import { PortholeError } from "@porthole/common/errors";
import type { IdentityKey } from "@porthole/common/identity";
import { createLink, type TransportConnection, type Link, type LinkStream } from "@porthole/common/link";
import {
  limits,
  type Exposed,
  type Hello,
  type IssuanceReply,
  type QuicTicket,
  type Welcome,
} from "@porthole/common/protocol";
import { orAbort, withDeadline, type Clock } from "@porthole/common/util";
import { fromReject } from "./from-reject.ts";
import { limits as tunnelLimits } from "./limits.ts";
import { checkHostnames, SessionNames } from "./session-names.ts";

/** A link that the relay has admitted. */
export interface Session {
  readonly link: Link;
  readonly welcome: Welcome;
  /** Serves until the link ends, and resolves to why it did. When the signal aborts it says goodbye and closes the link. */
  serve(signal: AbortSignal): Promise<PortholeError>;
  /**
   * Resolves when the relay lets us order a certificate for the name, with the number of further new names that
   * it would let us have, if it says so; rejects with its reason, `busy` mostly.
   */
  requestIssuance(hostname: string, signal: AbortSignal): Promise<number | undefined>;
  /** The keys that are exposed over the link. */
  readonly names: SessionNames;
  /** Resolves when the relay says that it will stop; what runs may continue for a while. */
  readonly drained: Promise<void>;
  /** A ticket for a QUIC handshake; undefined when the relay has no QUIC at present. `anywhere`: see TicketRequest. */
  requestTicket(anywhere: boolean, signal: AbortSignal): Promise<QuicTicket | undefined>;
  /** Asks the relay for no new visitors; it closes the link when the present ones are through. */
  retire(reason: string): void;
}

export interface SessionOptions {
  readonly clock: Clock;
  readonly hello: Hello;
  /** Ours: the relay must have taken us for no other client. */
  readonly key: Pick<IdentityKey, "clientId" | "fingerprint">;
  onStream(stream: LinkStream, link: Link): void;
  /** Something about a key's names has changed without our doing; see SessionNames. */
  onNames?(clientId: string): void;
  /** The relay offers QUIC without having been asked. */
  onTicket?(ticket: QuicTicket, session: Session): void;
}

/** hello, welcome. Takes the connection over; rejects with the relay's code when it refuses. */
export async function openSession(
  connection: TransportConnection,
  options: SessionOptions,
  signal: AbortSignal,
): Promise<Session> {
  const link = createLink(connection, { clock: options.clock, heartbeat: "send" });
  try {
    link.control.send(options.hello);
    const welcome = await withDeadline(
      { clock: options.clock, delayMs: limits.admissionDeadlineMs, what: "The relay's answer to hello", signal },
      () => receiveWelcome(link, options),
    );
    return new LinkSession(link, welcome, options);
  } catch (reason) {
    const error = PortholeError.from(reason);
    link.destroy(error);
    throw error;
  }
}

async function receiveWelcome(link: Link, options: SessionOptions): Promise<Welcome> {
  const message = await link.control.next();
  switch (message?.type) {
    case "welcome":
      return checkedWelcome(message, options);
    case "reject":
      throw fromReject(message.code, message.message, message.retryAfterMs);
    case "drain":
      throw new PortholeError("draining", `The relay is about to stop: ${message.reason}`);
    case undefined:
      throw await link.closed;
    case "hello":
    case "goodbye":
    case "instances":
    case "issuance":
    case "issuance-request":
    case "ticket":
    case "ticket-request":
    case "expose":
    case "exposed":
    case "unexpose":
      throw new PortholeError("protocol", `The relay answered hello with ${message.type}`);
  }
}

/** Throws `protocol` when the relay took us for another, or gave us names that are not ours. */
function checkedWelcome(welcome: Welcome, { key: { clientId }, hello }: SessionOptions): Welcome {
  const { hostnames, names } = welcome;
  if (welcome.clientId !== clientId) throw new PortholeError("protocol", "The relay took us for another client");
  if (!hello.bare || !names || hostnames.length > 0) checkHostnames(hostnames, { ...hello, clientId });
  return welcome;
}

class LinkSession implements Session {
  readonly link: Link;
  readonly welcome: Welcome;
  readonly drained: Promise<void>;
  readonly names: SessionNames;
  readonly #options: SessionOptions;
  readonly #quotas = new Map<string, (answer: IssuanceReply) => void>();
  readonly #ticketRequests: ((ticket: QuicTicket | undefined) => void)[] = [];
  /** The relay's last word explains the end of the link better than the transport does. */
  #told: PortholeError | undefined;
  #onDrain: () => void = () => {};

  constructor(link: Link, welcome: Welcome, options: SessionOptions) {
    this.link = link;
    this.welcome = welcome;
    this.#options = options;
    const { clock, key } = options;
    this.names = new SessionNames({
      ...{ clock, link, welcome, fingerprint: key.fingerprint },
      onChange: (clientId) => options.onNames?.(clientId),
    });
    this.drained = new Promise((resolve) => {
      this.#onDrain = resolve;
    });
  }

  async serve(signal: AbortSignal): Promise<PortholeError> {
    void this.#acceptStreams();
    const reading = this.#readControl();
    try {
      const reason = await orAbort(signal, this.link.closed);
      // What has come together with the end is still being read.
      await orAbort(signal, reading);
      return this.#told ?? reason;
    } catch {
      this.link.control.send({ type: "goodbye", reason: "stopped" });
      await this.link.close(new PortholeError("aborted", "The client stops"));
      throw signal.reason;
    }
  }

  retire(reason: string): void {
    this.link.control.send({ type: "goodbye", reason });
  }

  async requestTicket(anywhere: boolean, signal: AbortSignal): Promise<QuicTicket | undefined> {
    const { clock } = this.#options;
    const what = "The relay's answer to a ticket request";
    return withDeadline({ clock, delayMs: tunnelLimits.ticketDeadlineMs, what, signal }, () => {
      const answered = new Promise<QuicTicket | undefined>((resolve) => this.#ticketRequests.push(resolve));
      this.link.control.send({ type: "ticket-request", ...(anywhere ? { anywhere } : {}) });
      return Promise.race([answered, this.link.closed.then(fail)]);
    });
  }

  async requestIssuance(hostname: string, signal: AbortSignal): Promise<number | undefined> {
    const { clock } = this.#options;
    const what = "The relay's answer to a quota request";
    const answer = await withDeadline({ clock, delayMs: tunnelLimits.issuanceDeadlineMs, what, signal }, () => {
      const answered = new Promise<IssuanceReply>((resolve) => this.#quotas.set(hostname, resolve));
      this.link.control.send({ type: "issuance-request", hostname });
      return Promise.race([answered, this.link.closed.then(fail)]);
    });
    if (answer.code !== undefined) throw fromReject(answer.code, answer.message ?? "no quota", answer.retryAfterMs);
    return answer.left;
  }

  /** Tickets come in the order of the requests. */
  #onTicket(ticket: QuicTicket | undefined): void {
    const answer = this.#ticketRequests.shift();
    if (answer) answer(ticket);
    else if (ticket) this.#options.onTicket?.(ticket, this);
  }

  /** False when the relay gave us names that are not ours: that ends the link. */
  #takeNames(message: Exposed): boolean {
    try {
      this.names.onExposed(message);
      return true;
    } catch (reason) {
      this.link.destroy(PortholeError.from(reason));
      return false;
    }
  }

  async #acceptStreams(): Promise<void> {
    for await (const stream of this.link.incoming) this.#options.onStream(stream, this.link);
  }

  async #readControl(): Promise<void> {
    const { control } = this.link;
    for (let message = await control.next(); message; message = await control.next()) {
      switch (message.type) {
        case "drain":
          this.#told = new PortholeError("draining", `The relay stops: ${message.reason}`);
          this.#onDrain();
          break;
        case "reject":
          this.#told = fromReject(message.code, message.message, message.retryAfterMs);
          break;
        case "issuance":
          this.#quotas.get(message.hostname)?.(message);
          this.#quotas.delete(message.hostname);
          break;
        case "instances":
          this.names.onInstances(message);
          break;
        case "exposed":
          if (this.#takeNames(message)) break;
          return;
        case "ticket":
          this.#onTicket(message.ticket);
          break;
        case "welcome":
        case "hello":
        case "goodbye":
        case "issuance-request":
        case "ticket-request":
        case "expose":
        case "unexpose":
          this.link.destroy(new PortholeError("protocol", `The relay sent ${message.type} in the middle of a session`));
          return;
      }
    }
  }
}

function fail(reason: PortholeError): never {
  throw reason;
}
