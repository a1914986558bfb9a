import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { readPublicKey, type PublicIdentity } from "@porthole/common/identity";
import type { Logger } from "@porthole/common/log";
import type { Clock } from "@porthole/common/util";
import { ExternalKey, type SignRequest } from "../../tunnel/index.ts";
import type { Identity, IdentityRef, TunnelChanges } from "../contract/index.ts";
import type { KeyHolder } from "../server.ts";

/** Far more than there can be tunnels. */
const maxKeys = 1_000;
const maxReasonLength = 200;

export interface ExternalKeysOptions {
  readonly stateDir: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The keys that programs hold, and which program to ask. */
export class ExternalKeys {
  readonly #options: ExternalKeysOptions;
  /** By fingerprint. */
  readonly #keys = new Map<string, Promise<ExternalKey>>();
  /** By fingerprint; the one that came last is asked. */
  readonly #holders = new Map<string, readonly KeyHolder[]>();

  constructor(options: ExternalKeysOptions) {
    this.#options = options;
  }

  /** The program signs for this key until it leaves. Throws `key`. */
  provide(publicKey: string, where: string, holder: KeyHolder): Identity {
    const { clientId, fingerprint } = readPublicKey(publicKey, where);
    const others = this.#holders.get(fingerprint)?.filter((each) => each !== holder) ?? [];
    if (others.length === 0 && this.#holders.size >= maxKeys)
      throw new PortholeError("limit", `Programs hold ${maxKeys} keys already`);
    if (!this.#holders.get(fingerprint)?.includes(holder))
      void holder.left.then(() => this.#forget(fingerprint, holder));
    this.#holders.set(fingerprint, [...others, holder]);
    void this.#keys.get(fingerprint)?.then(
      (key) => key.wake(),
      () => {},
    );
    return { clientId, fingerprint };
  }

  /** The same key each time, so that its holder is asked once for all that need it. Throws `key`; rejects with `state`. */
  open(publicKey: string, where: string): Promise<ExternalKey> {
    const identity = readPublicKey(publicKey, where);
    const present = this.#keys.get(identity.fingerprint);
    if (present) return present;
    if (this.#keys.size >= maxKeys) throw new PortholeError("limit", `Programs hold ${maxKeys} keys already`);
    const { stateDir, clock, log } = this.#options;
    const key = ExternalKey.open({
      ...{ identity, clock, log, folder: join(stateDir, "external-keys") },
      sign: (request, signal) => this.#sign(identity, request, signal),
    });
    this.#keys.set(identity.fingerprint, key);
    key.catch(() => this.#keys.delete(identity.fingerprint));
    return key;
  }

  async #sign({ clientId, fingerprint }: PublicIdentity, request: SignRequest, signal: AbortSignal): Promise<Buffer> {
    const holder = this.#holders.get(fingerprint)?.at(-1);
    if (!holder)
      throw new PortholeError("signer", `No program is attached that signs for the key ${clientId}`, {
        hint: "Start the program that holds the key: it attaches, and calls identity/provide or expose.",
      });
    const left = holder.left.then((): never => {
      throw new PortholeError("signer", `The program that signs for the key ${clientId} has left`);
    });
    const { data, ...others } = request;
    const answer = holder.sign({ ...others, data: data.toString("base64") }, signal).catch((reason: unknown): never => {
      signal.throwIfAborted();
      const { message } = PortholeError.from(reason);
      throw new PortholeError("signer", `The key's holder did not sign: ${message.slice(0, maxReasonLength)}`, {
        hint: "Unlock the key, and allow its use. The tunnel needs a signature once a day.",
        cause: reason,
      });
    });
    const { signature } = await Promise.race([answer, left]);
    return Buffer.from(signature, "base64");
  }

  #forget(fingerprint: string, holder: KeyHolder): void {
    const others = this.#holders.get(fingerprint)?.filter((each) => each !== holder) ?? [];
    if (others.length > 0) this.#holders.set(fingerprint, others);
    else this.#holders.delete(fingerprint);
  }
}

/** The identities that a tunnel's description names, by the field. */
export function identitiesOf({ primary, secondary }: Pick<TunnelChanges, "primary" | "secondary">): Named {
  return { "primary.identity": primary?.identity, "secondary.identity": secondary?.identity };
}

type Named = Readonly<Record<string, IdentityRef | undefined>>;

/** The program that names a public key holds it. Throws `key`. */
export function provideKeys(keys: ExternalKeys, identities: Named, holder: KeyHolder | undefined): void {
  for (const [where, identity] of Object.entries(identities))
    if (holder && identity && "publicKey" in identity) keys.provide(identity.publicKey, `${where}.publicKey`, holder);
}
