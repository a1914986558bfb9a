import { PortholeError, isErrorCode } from "@porthole/common/errors";
import { createLink, type TransportConnection, type Link, type LinkStream } from "@porthole/common/link";
import {
  canonicalHostName,
  limits,
  type Hello,
  type IssuanceReply,
  type QuicTicket,
  type Welcome,
} from "@porthole/common/protocol";
import { orAbort, withDeadline, type Clock } from "@porthole/common/util";
import { limits as tunnelLimits } from "./limits.ts";

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
  /** Other processes with our key that are connected to this relay. */
  readonly otherInstances: number;
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
  readonly clientId: string;
  onStream(stream: LinkStream, link: Link): void;
  /** `otherInstances` has changed. */
  onInstances?(): void;
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
      throw new PortholeError("protocol", `The relay answered hello with ${message.type}`);
  }
}

/**
 * We show these names, and order certificates for them. A relay that is not honest must not make us keep names without number, nor
 * names that are not ours: the first label is our client id or the name that we asked for. Throws `protocol`.
 */
function checkedWelcome(welcome: Welcome, { clientId, hello }: SessionOptions): Welcome {
  const { hostnames } = welcome;
  const shown = JSON.stringify(hostnames).slice(0, 200);
  if (welcome.clientId !== clientId) throw new PortholeError("protocol", "The relay took us for another client");
  if (hostnames.length === 0 || !hostnames.every((name) => canonicalHostName(name) === name))
    throw new PortholeError("protocol", `The relay gave us no host name, but ${shown}`);
  if (hostnames.length > tunnelLimits.maxHostnames)
    throw new PortholeError(
      "protocol",
      `The relay gave us ${hostnames.length} names, more than ${tunnelLimits.maxHostnames}`,
    );
  const suffix = hello.suffix === undefined ? undefined : canonicalHostName(hello.suffix);
  const labels = [clientId, hello.name?.toLowerCase()];
  const isOurs = (hostname: string): boolean => {
    const dot = hostname.indexOf(".");
    return labels.includes(hostname.slice(0, dot)) && (suffix === undefined || hostname.slice(dot + 1) === suffix);
  };
  if (!hostnames.every(isOurs))
    throw new PortholeError("protocol", `The relay gave us names that we did not ask for: ${shown}`);
  return welcome;
}

function fromReject(code: string, message: string, retryAfterMs: number | undefined): PortholeError {
  return new PortholeError(
    isErrorCode(code) ? code : "unauthorized",
    `The relay refused: ${message.replace(/\.$/, "")}`,
    {
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    },
  );
}

class LinkSession implements Session {
  readonly link: Link;
  readonly welcome: Welcome;
  readonly drained: Promise<void>;
  readonly #options: SessionOptions;
  readonly #quotas = new Map<string, (answer: IssuanceReply) => void>();
  readonly #ticketRequests: ((ticket: QuicTicket | undefined) => void)[] = [];
  /** The relay's last word explains the end of the link better than the transport does. */
  #told: PortholeError | undefined;
  #onDrain: () => void = () => {};
  #others = 0;

  constructor(link: Link, welcome: Welcome, options: SessionOptions) {
    this.link = link;
    this.welcome = welcome;
    this.#options = options;
    this.drained = new Promise((resolve) => {
      this.#onDrain = resolve;
    });
  }

  get otherInstances(): number {
    return this.#others;
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
          this.#others = message.others;
          this.#options.onInstances?.();
          break;
        case "ticket":
          this.#onTicket(message.ticket);
          break;
        case "welcome":
        case "hello":
        case "goodbye":
        case "issuance-request":
        case "ticket-request":
          this.link.destroy(new PortholeError("protocol", `The relay sent ${message.type} in the middle of a session`));
          return;
      }
    }
  }
}

function fail(reason: PortholeError): never {
  throw reason;
}
