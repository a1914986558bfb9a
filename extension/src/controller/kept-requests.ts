import { createHash } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { TunnelSpec } from "@porthole/tunnel/rpc";
import type { Clock } from "@porthole/common/util";
import type { Settings } from "./host.ts";
import type { Keys } from "./keys.ts";

/** The daemon ignores what is older. */
const maxAgeMs = 10 * 60_000;

export interface KeptRequestsDeps {
  readonly folder: string;
  readonly settings: Settings;
  readonly keys: Keys;
  readonly clock: Clock;
}

/** Files in which the daemon leaves a port's requests at its end, for the window that continues with the port. */
export class KeptRequests {
  readonly #deps: KeptRequestsDeps;

  constructor(deps: KeptRequestsDeps) {
    this.#deps = deps;
  }

  /** How the daemon records the requests of a port. */
  async inspect(id: string): Promise<NonNullable<TunnelSpec["inspect"]>> {
    const { folder, settings, keys } = this.#deps;
    if (!settings.get("porthole.keepRequests")) return {};
    // An id has characters in it that no file can be called by.
    const name = createHash("sha256").update(id).digest("hex");
    return { keep: { path: join(folder, name), key: await keys.requests() } };
  }

  /** Removes what nobody has come back for. Never rejects. */
  async sweep(): Promise<void> {
    const { folder, clock } = this.#deps;
    const names = await readdir(folder).catch(() => []);
    const isOld = async (path: string): Promise<boolean> => clock.now() - (await stat(path)).mtimeMs > maxAgeMs;
    const sweepOne = async (path: string): Promise<void> => {
      if (await isOld(path)) await rm(path, { force: true });
    };
    await Promise.allSettled(names.map((name) => sweepOne(join(folder, name))));
  }
}
