import { PortholeError, isErrorCode } from "../errors.ts";
import { createLink, type Carrier, type Link, type LinkStream } from "../link/index.ts";
import { limits, type Hello, type Welcome } from "../protocol/protocol.ts";
import { orAbort, withDeadline, type Clock } from "../util/index.ts";

/** A link that the relay has admitted. */
export interface Session {
  readonly link: Link;
  readonly welcome: Welcome;
  /** Serves until the link ends, and answers why it did. When the signal aborts it says goodbye and closes the link. */
  serve(signal: AbortSignal): Promise<PortholeError>;
  /** Asks the relay for no new visitors; it closes the link when the present ones are through. */
  retire(reason: string): void;
}

export interface SessionOptions {
  readonly clock: Clock;
  readonly hello: Hello;
  onStream(stream: LinkStream, link: Link): void;
}

/** hello, welcome. Takes the carrier over; rejects with the relay's code when it refuses. */
export async function openSession(carrier: Carrier, options: SessionOptions, signal: AbortSignal): Promise<Session> {
  const link = createLink(carrier, { clock: options.clock, heartbeat: "send" });
  try {
    link.control.send(options.hello);
    const welcome = await withDeadline(
      { clock: options.clock, delayMs: limits.admissionDeadlineMs, what: "The relay's answer to hello", signal },
      () => receiveWelcome(link),
    );
    return createSession(link, welcome, options);
  } catch (reason) {
    const error = PortholeError.from(reason);
    link.destroy(error);
    throw error;
  }
}

async function receiveWelcome(link: Link): Promise<Welcome> {
  const message = await link.control.next();
  switch (message?.type) {
    case "welcome":
      return message;
    case "reject":
      throw fromReject(message.code, message.message, message.retryAfterMs);
    case "drain":
      throw new PortholeError("draining", `The relay is about to stop: ${message.reason}`);
    case undefined:
      throw await link.closed;
    case "hello":
    case "goodbye":
      throw new PortholeError("protocol", `The relay answered hello with ${message.type}`);
  }
}

function fromReject(code: string, message: string, retryAfterMs: number | undefined): PortholeError {
  return new PortholeError(isErrorCode(code) ? code : "unauthorized", `The relay refused: ${message}`, {
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function createSession(link: Link, welcome: Welcome, options: SessionOptions): Session {
  return {
    link,
    welcome,
    retire(reason) {
      link.control.send({ type: "goodbye", reason });
    },
    async serve(signal) {
      void acceptStreams(link, options);
      const told = watchControl(link);
      try {
        const reason = await orAbort(signal, link.closed);
        return told.reason ?? reason;
      } catch {
        link.control.send({ type: "goodbye", reason: "stopped" });
        await link.close(new PortholeError("aborted", "The client stops"));
        throw signal.reason;
      }
    },
  };
}

async function acceptStreams(link: Link, options: SessionOptions): Promise<void> {
  for await (const stream of link.incoming) options.onStream(stream, link);
}

/** What the relay says after welcome. The last word explains the end of the link better than the transport does. */
function watchControl(link: Link): { readonly reason?: PortholeError } {
  const told: { reason?: PortholeError } = {};
  void (async () => {
    for (let message = await link.control.next(); message; message = await link.control.next()) {
      switch (message.type) {
        case "drain":
          told.reason = new PortholeError("draining", `The relay stops: ${message.reason}`);
          break;
        case "reject":
          told.reason = fromReject(message.code, message.message, message.retryAfterMs);
          break;
        case "welcome":
        case "hello":
        case "goodbye":
          link.destroy(new PortholeError("protocol", `The relay sent ${message.type} in the middle of a session`));
          return;
      }
    }
  })();
  return told;
}
