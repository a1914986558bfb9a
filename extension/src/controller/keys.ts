import { createHmac, generateKeyPairSync, randomBytes } from "node:crypto";
import type { AccessSpec, RelaySpec } from "@porthole/tunnel/rpc";
import type { Relay, Secrets } from "./host.ts";

/** Everything secret that the extension keeps: private keys, and invites' tokens until they are used. */
export class Keys {
  readonly #secrets: Secrets;
  readonly #making = new Map<string, Promise<string>>();

  constructor(secrets: Secrets) {
    this.#secrets = secrets;
  }

  /** The key that relays know this person by. One an installation, so that one invite is enough for every port. */
  owner(): Promise<string> {
    return this.#loadOrMake("owner");
  }

  /** A port's own key: its public name. */
  identity(exposureId: string): Promise<string> {
    return this.#loadOrMake(`identity ${exposureId}`);
  }

  secondary(exposureId: string): Promise<string> {
    return this.#loadOrMake(`secondary ${exposureId}`);
  }

  async replaceIdentity(exposureId: string, pem: string): Promise<void> {
    await this.#secrets.set(`identity ${exposureId}`, pem);
  }

  /** Returns the access rules of a port, with passwords and webhook secrets. */
  async access(exposureId: string): Promise<AccessSpec | undefined> {
    const text = await this.#secrets.get(`access ${exposureId}`);
    return text === undefined ? undefined : (JSON.parse(text) as AccessSpec);
  }

  async keepAccess(exposureId: string, access: AccessSpec | undefined): Promise<void> {
    const name = `access ${exposureId}`;
    await (access ? this.#secrets.set(name, JSON.stringify(access)) : this.#secrets.delete(name));
  }

  /** Returns the key that encrypts requests which outlive a reload: 32 bytes in base64. */
  requests(): Promise<string> {
    return this.#loadOrMake("requests", () => randomBytes(32).toString("base64"));
  }

  /** A value that changes with the port's key and rules, and tells nothing of either. */
  async seal(exposureId: string): Promise<string> {
    const rules = JSON.stringify((await this.access(exposureId)) ?? null);
    return createHmac("sha256", await this.identity(exposureId))
      .update(rules)
      .digest("base64url");
  }

  async keepToken({ address, token }: RelaySpec): Promise<void> {
    if (token !== undefined) await this.#secrets.set(`token ${address}`, token);
  }

  async withToken(relay: Relay): Promise<RelaySpec> {
    const token = await this.#secrets.get(`token ${relay.address}`);
    return token === undefined ? relay : { ...relay, token };
  }

  /** A token is good once: afterwards the relay knows the owner's key. */
  async forgetToken(address: string): Promise<void> {
    await this.#secrets.delete(`token ${address}`);
  }

  /** Two callers at once get the same key. */
  #loadOrMake(name: string, make = newKey): Promise<string> {
    const making = this.#making.get(name) ?? this.#load(name, make).finally(() => this.#making.delete(name));
    this.#making.set(name, making);
    return making;
  }

  async #load(name: string, make: () => string): Promise<string> {
    const known = await this.#secrets.get(name);
    if (known !== undefined) return known;
    const made = make();
    await this.#secrets.set(name, made);
    return made;
  }
}

/** P-256, as in common's identity, which would bring a whole ASN.1 library into the extension host. */
function newKey(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}
