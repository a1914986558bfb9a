import { PortholeError } from "@porthole/common/errors";
import type { Link } from "@porthole/common/link";
import { canonicalHostName, type Exposed, type Instances, type Welcome } from "@porthole/common/protocol";
import { withDeadline, type Clock } from "@porthole/common/util";
import { fromReject } from "./from-reject.ts";
import { limits } from "./limits.ts";
import { proveName, type NameKey } from "./link-identity.ts";

/** A key as it is exposed over one link. */
export interface ExposedName {
  /** The preferred one first. */
  readonly hostnames: readonly string[];
  /** Other processes with the same key that are connected to the relay. */
  readonly others: number;
}

/** What a key asks a relay for. */
export interface NameRequest {
  readonly key: NameKey;
  /** Its self-signed certificate, PEM. */
  readonly certificate: string;
  readonly suffix?: string | undefined;
  /** A friendly name instead of the client id. */
  readonly name?: string | undefined;
}

export interface SessionNamesOptions {
  readonly clock: Clock;
  readonly link: Link;
  readonly welcome: Welcome;
  /** The key that the link is known by. */
  readonly fingerprint: string;
  /** What is exposed as the key with this client id has changed without our doing. */
  readonly onChange: (clientId: string) => void;
}

/** The keys that are exposed over one link, and what exposes more of them. */
export class SessionNames {
  readonly #options: SessionNamesOptions;
  readonly #exposed = new Map<string, ExposedName>();
  /** The relay answers in the order of the requests for a key, also those that nobody waits for any more. */
  readonly #requests = new Map<string, Waiting[]>();
  /** Why the relay has ended what was exposed. */
  readonly #refusals = new Map<string, PortholeError>();

  constructor(options: SessionNamesOptions) {
    this.#options = options;
    const { clientId, hostnames } = options.welcome;
    if (hostnames.length > 0) this.#exposed.set(clientId, { hostnames, others: 0 });
  }

  /** Whether the relay takes further keys. Those before it knew of that take only the link's own. */
  get canExpose(): boolean {
    return this.#options.welcome.names !== undefined;
  }

  of(clientId: string): ExposedName | undefined {
    return this.#exposed.get(clientId);
  }

  /** Why the relay does not expose the key any more, after it did; once. */
  takeRefusal(clientId: string): PortholeError | undefined {
    const refusal = this.#refusals.get(clientId);
    this.#refusals.delete(clientId);
    return refusal;
  }

  /** Resolves when visitors can come. Rejects with the relay's reason, or that of the link's end. */
  async expose(request: NameRequest, signal: AbortSignal): Promise<void> {
    const { fingerprint, link, welcome } = this.#options;
    const { key, certificate, suffix, name } = request;
    if (!welcome.names) throw new PortholeError("unavailable", "The relay takes one name for each link");
    this.#refusals.delete(key.clientId);
    const proof = await proveName(key, certificate, { fingerprint, challenge: welcome.names.challenge }, signal);
    const { code, message, retryAfterMs } = await this.#ask(
      { clientId: key.clientId, delayMs: limits.exposeDeadlineMs, request },
      signal,
      () =>
        link.control.send({
          ...{ type: "expose", proof },
          ...(suffix === undefined ? {} : { suffix }),
          ...(name === undefined ? {} : { name }),
        }),
    );
    if (code !== undefined) throw fromReject(code, message ?? "no name", retryAfterMs);
    if (!this.#exposed.has(key.clientId)) throw new PortholeError("protocol", "The relay gave us no host name");
  }

  /** Resolves when no new visitors come. */
  async unexpose(clientId: string, signal: AbortSignal): Promise<void> {
    this.#exposed.delete(clientId);
    if (!this.canExpose) return;
    await this.#ask({ clientId, delayMs: limits.unexposeDeadlineMs }, signal, () =>
      this.#options.link.control.send({ type: "unexpose", clientId }),
    );
  }

  /** Throws `protocol` for names that are not ours. */
  onExposed(message: Exposed): void {
    const { clientId, hostnames, code } = message;
    // A key that is exposed is not asked for again: this is its end.
    if (this.#exposed.has(clientId) && code !== undefined) {
      this.#exposed.delete(clientId);
      this.#refusals.set(clientId, fromReject(code, message.message ?? "no name", message.retryAfterMs));
      this.#options.onChange(clientId);
      return;
    }
    const waiting = this.#requests.get(clientId)?.shift();
    if (waiting?.request && hostnames.length > 0) {
      checkHostnames(hostnames, { ...waiting.request, clientId });
      this.#exposed.set(clientId, { hostnames, others: 0 });
    }
    waiting?.answer(message);
  }

  onInstances({ others, clientId = this.#options.welcome.clientId }: Instances): void {
    const exposed = this.#exposed.get(clientId);
    if (!exposed) return;
    this.#exposed.set(clientId, { ...exposed, others });
    this.#options.onChange(clientId);
  }

  async #ask({ clientId, delayMs, request }: Question, signal: AbortSignal, send: () => void): Promise<Exposed> {
    const { clock, link } = this.#options;
    const what = "The relay's answer about a name";
    return withDeadline({ clock, delayMs, what, signal }, () => {
      const answered = new Promise<Exposed>((resolve) => {
        const waiting = { ...(request ? { request } : {}), answer: resolve };
        this.#requests.set(clientId, [...(this.#requests.get(clientId) ?? []), waiting]);
      });
      send();
      const ended = link.closed.then((reason): never => {
        throw reason;
      });
      return Promise.race([answered, ended]);
    });
  }
}

interface Question {
  readonly clientId: string;
  readonly delayMs: number;
  readonly request?: NameRequest;
}

interface Waiting {
  readonly request?: NameRequest;
  answer(message: Exposed): void;
}

/**
 * We show these names, and order certificates for them. A relay that is not honest must not make us keep names without number, nor
 * names that are not ours: the first label is our client id or the name that we asked for. Throws `protocol`.
 */
export function checkHostnames(
  hostnames: readonly string[],
  wanted: { readonly clientId: string; readonly suffix?: string | undefined; readonly name?: string | undefined },
): void {
  const shown = JSON.stringify(hostnames).slice(0, 200);
  if (hostnames.length === 0 || !hostnames.every((name) => canonicalHostName(name) === name))
    throw new PortholeError("protocol", `The relay gave us no host name, but ${shown}`);
  if (hostnames.length > limits.maxHostnames)
    throw new PortholeError(
      "protocol",
      `The relay gave us ${hostnames.length} names, more than ${limits.maxHostnames}`,
    );
  const suffix = wanted.suffix === undefined ? undefined : canonicalHostName(wanted.suffix);
  const labels = [wanted.clientId, wanted.name?.toLowerCase()];
  const isOurs = (hostname: string): boolean => {
    const dot = hostname.indexOf(".");
    return labels.includes(hostname.slice(0, dot)) && (suffix === undefined || hostname.slice(dot + 1) === suffix);
  };
  if (!hostnames.every(isOurs))
    throw new PortholeError("protocol", `The relay gave us names that we did not ask for: ${shown}`);
}
