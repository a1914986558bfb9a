import type {
  DaemonConnection,
  DoctorReport,
  Identity,
  Method,
  RelaySpec,
  RelayTest,
  Requests,
  ShareLink,
} from "@porthole/tunnel/rpc";
import type { Keys } from "./keys.ts";

/** A key that somebody has brought along, and who one is with it. */
export type GivenKey = Requests["identity/import"][1];

/** Questions to the daemon that change nothing in the window. Each starts the daemon if need be. */
export class Questions {
  readonly #daemon: () => Promise<DaemonConnection>;
  readonly #keys: Keys;

  constructor(daemon: () => Promise<DaemonConnection>, keys: Keys) {
    this.#daemon = daemon;
    this.#keys = keys;
  }

  doctor(id: string, signal: AbortSignal): Promise<DoctorReport> {
    return this.#call("doctor", { tunnel: id }, signal);
  }

  async parseInvite(invite: string): Promise<RelaySpec> {
    return (await this.#call("relay/parseInvite", { invite })).relay;
  }

  async testRelay(relay: RelaySpec, signal: AbortSignal): Promise<RelayTest> {
    const identity = { pem: await this.#keys.owner() };
    return this.#call("relay/test", { relay: await this.#keys.withToken(relay), identity }, signal);
  }

  /** A URL that lets in its holder for the given time, or until it is revoked. Needs access rules with `share`. */
  async share(id: string, link: { readonly label: string; readonly forMs?: number }): Promise<string | undefined> {
    const { urls } = await this.#call("access/share", { tunnel: id, ...link });
    return urls[0];
  }

  async shareLinks(id: string): Promise<readonly ShareLink[]> {
    return (await this.#call("access/links", { tunnel: id })).links;
  }

  async revoke(id: string, link: string): Promise<void> {
    await this.#call("access/revoke", { tunnel: id, link });
  }

  /** Returns a port's identity before it is exposed: its public name is known then. */
  async identityOf(id: string): Promise<Identity> {
    return this.#call("identity/fingerprint", { identity: { pem: await this.#keys.identity(id) } });
  }

  /** The port's key for a file: as PEM, or in a bundle with the relays that know it. */
  async exportIdentity(id: string, passphrase: string | undefined, relays: readonly RelaySpec[] = []): Promise<string> {
    const identity = { pem: await this.#keys.identity(id) };
    const encrypt = passphrase === undefined ? {} : { passphrase };
    return (
      await this.#call("identity/export", {
        identity,
        ...encrypt,
        ...(relays.length === 0 ? {} : { relays }),
      })
    ).pem;
  }

  /** The key in the text of a file, which can be given to a port then. Rejects with `key` for what is none. */
  readIdentity(text: string, passphrase: string | undefined): Promise<GivenKey> {
    const decrypt = passphrase === undefined ? {} : { passphrase };
    return this.#call("identity/import", { pem: text, ...decrypt });
  }

  async #call<M extends Method>(method: M, params: Requests[M][0], signal?: AbortSignal): Promise<Requests[M][1]> {
    return (await this.#daemon()).call(method, params, signal ? { signal } : {});
  }
}
