import { createPublicKey } from "node:crypto";
import { PortholeError } from "@porthole/common/errors";
import type { DaemonConnection } from "@porthole/tunnel/rpc";
import type { ExposureList } from "./exposure-list.ts";
import { failureOf, nameOf } from "./exposure.ts";
import type { Leases } from "./leases.ts";
import type { Keys } from "./keys.ts";
import type { GivenKey } from "./questions.ts";
import type { Tunnels } from "./tunnels.ts";
import { t } from "../text.ts";

export interface IdentitiesDeps {
  readonly keys: Keys;
  readonly list: ExposureList;
  readonly tunnels: Tunnels;
  /** The daemon; starts it. */
  readonly daemon: () => Promise<DaemonConnection>;
  /** Other windows learn from them that the key is another one. */
  readonly leases: Leases;
}

/** A port's key is its name: gives it another one. */
export class Identities {
  readonly #deps: IdentitiesDeps;

  constructor(deps: IdentitiesDeps) {
    this.#deps = deps;
  }

  /**
   * The port has the name of this key from now on. Nothing changes when that fails: rejects with `usage` when another port has the
   * key or another window has the port, and with what the daemon refuses it for.
   */
  async replace(id: string, { pem }: Pick<GivenKey, "pem">): Promise<void> {
    const { keys, list, tunnels, leases, daemon } = this.#deps;
    const exposure = list.find(id);
    if (exposure?.phase === "elsewhere")
      throw new PortholeError("usage", t("Another window exposes this port"), { hint: t("Take it over first.") });
    await this.#checkUnused(id, pem);
    const isRunning = exposure?.phase === "on" && !failureOf(exposure);
    if (isRunning) await (await daemon()).call("tunnel/update", { id, changes: { primary: { identity: { pem } } } });
    await keys.replaceIdentity(id, pem);
    await leases.seal(id, await keys.seal(id));
    if (exposure?.phase === "on" && !isRunning) await tunnels.restart(id);
  }

  /** Gives the port a key that nobody has had before, and with it a new name. */
  async renew(id: string): Promise<GivenKey> {
    const made = await (await this.#deps.daemon()).call("identity/create", {});
    await this.replace(id, made);
    return made;
  }

  async #checkUnused(id: string, pem: string): Promise<void> {
    for (const other of this.#deps.list.all)
      if (other.id !== id && isSameKey(await this.#deps.keys.identity(other.id), pem))
        throw new PortholeError("usage", t("This key is already used by {0}. Each port needs its own.", nameOf(other)));
  }
}

/** Whether two texts are the same private key, however they are written. */
function isSameKey(one: string, other: string): boolean {
  const publicOf = (pem: string): string => createPublicKey(pem).export({ type: "spki", format: "pem" }).toString();
  return one === other || publicOf(one) === publicOf(other);
}
