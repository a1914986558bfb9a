import { PortholeError } from "../../errors.ts";
import type { TransportConnection } from "../types.ts";
import { acceptNative } from "./native/accept.ts";
import { loadNative } from "./native/binding.ts";
import { dialNative } from "./native/dial.ts";
import type {
  AcceptQuicOptions,
  DialQuicOptions,
  EngineChoice,
  EngineName,
  QuicAcceptor,
  QuicTransportConnection,
} from "./options.ts";
import { acceptQuiche } from "./quiche/accept.ts";
import { loadBinding } from "./quiche/binding.ts";
import { dialQuiche } from "./quiche/dial.ts";

/** A QUIC engine. All engines speak the same protocol on the wire. */
export interface QuicEngine {
  readonly name: EngineName;
  /** Throws `unavailable`, with the reason, where it can't be loaded. */
  load(): void;
  /**
   * The client's half: a connection with its handshake done, on a UDP socket of its own. Works in Electron.
   * Rejects with `unavailable`, `key`, `unreachable`, `timeout`, `untrusted`, `protocol`, or the signal's reason.
   * With TLS 1.3 the client is done before the relay has looked at its certificate, so a refusal comes as the transport's end.
   */
  dial(options: DialQuicOptions, init: { readonly signal: AbortSignal }): Promise<QuicTransportConnection>;
  /** The relay's half: one UDP socket for all clients. Rejects with `unavailable`, `key` or `address`. */
  accept(options: AcceptQuicOptions, init: { readonly signal: AbortSignal }): Promise<QuicAcceptor>;
}

const native: QuicEngine = { name: "native", load: loadNative, dial: dialNative, accept: acceptNative };
const quiche: QuicEngine = { name: "quiche", load: loadBinding, dial: dialQuiche, accept: acceptQuiche };
/** Platforms on which the native engine has been run. On others it must be chosen by name. */
const triedOn: readonly string[] = ["linux"];

export interface ChosenEngine {
  readonly engine: QuicEngine;
  /** Why it is this one, for people. */
  readonly why: string;
}

/** Throws `unavailable`. The first call loads native code. */
export function chooseEngine(choice: EngineChoice = "auto"): ChosenEngine {
  const named = [native, quiche].find(({ name }) => name === choice);
  if (named) {
    named.load();
    return { engine: named, why: "it was asked for" };
  }
  const whyNot = triedOn.includes(process.platform) ? failureOf(native) : `it was never tried on ${process.platform}`;
  if (whyNot === undefined) return { engine: native, why: "it is the faster one" };
  quiche.load();
  return { engine: quiche, why: `no native engine: ${whyNot}` };
}

export type QuicAvailability =
  | { readonly available: true; readonly engine: EngineName; readonly why: string }
  | { readonly available: false; readonly reason: string };

/** Whether this machine has QUIC at all, and by what. */
export function quicAvailability(choice?: EngineChoice): QuicAvailability {
  try {
    const { engine, why } = chooseEngine(choice);
    return { available: true, engine: engine.name, why };
  } catch (reason) {
    return { available: false, reason: PortholeError.from(reason).message };
  }
}

/** See QuicEngine.dial. */
export async function dialQuic(
  options: DialQuicOptions,
  init: { readonly signal: AbortSignal },
): Promise<TransportConnection> {
  return chooseEngine(options.engine).engine.dial(options, init);
}

/** See QuicEngine.accept. */
export async function acceptQuic(
  options: AcceptQuicOptions,
  init: { readonly signal: AbortSignal },
): Promise<QuicAcceptor> {
  return chooseEngine(options.engine).engine.accept(options, init);
}

function failureOf(engine: QuicEngine): string | undefined {
  try {
    engine.load();
    return undefined;
  } catch (reason) {
    return PortholeError.from(reason).message;
  }
}
