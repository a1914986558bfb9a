import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { Inspector, KeptFile, type InspectorChanges } from "../../inspector/index.ts";
import { openAccess, type OpenAccess } from "../../access/index.ts";
import { type GatewayOptions } from "../../gateway/index.ts";
import type { Logger } from "@porthole/common/log";
import { Secret, type Clock } from "@porthole/common/util";
import type { AccessSpec, TunnelSpec } from "../contract/index.ts";

export interface VisitorPolicyContext {
  readonly id: string;
  readonly stateDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onInspect: (changes: InspectorChanges) => void;
}

type Rules = Pick<TunnelSpec, "access" | "inspect">;

/** Who lets a tunnel's visitors in and who watches them. Both can be exchanged while they are there. */
export class VisitorPolicy {
  readonly #context: VisitorPolicyContext;
  #access: OpenAccess | undefined;
  #inspector: Inspector | undefined;
  #file: KeptFile | undefined;
  #rules: Rules = {};

  constructor(context: VisitorPolicyContext) {
    this.#context = context;
  }

  get options(): Pick<GatewayOptions, "access" | "observer"> {
    return { access: this.#access?.policy, observer: this.#inspector };
  }

  /** Throws `usage` when nothing is recorded. */
  get inspector(): Inspector {
    if (this.#inspector) return this.#inspector;
    throw new PortholeError("usage", "This tunnel's requests are not recorded", { hint: "Start it with inspect: {}." });
  }

  /** Throws `usage` when links don't let in. */
  get shareLinks(): NonNullable<OpenAccess["shareLinks"]> {
    if (this.#access?.shareLinks) return this.#access.shareLinks;
    throw new PortholeError("usage", "Links don't let into this tunnel", {
      hint: "Start it with access: {share: true}.",
    });
  }

  /** Opens what is new; the answer takes it into use. Throws `usage` or `state`. `clientId`: whose links. */
  async prepare({ access, inspect }: Rules, clientId: string): Promise<() => Promise<void>> {
    const { stateDir, clock, log, onInspect } = this.#context;
    const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);
    const shareLinksPath = join(stateDir, "share-links", `${clientId}.json`);
    const opened = isSame(access, this.#rules.access)
      ? this.#access
      : access && (await openAccess(accessSettings(access, clock), { shareLinksPath, clock, log }));
    return async () => {
      if (opened !== this.#access) this.#access?.close();
      this.#access = opened;
      if (!isSame(inspect, this.#rules.inspect)) {
        await this.#inspector?.close();
        this.#file = inspect?.keep && this.#keptFile(inspect.keep);
        const kept = await this.#file?.take().catch((reason: unknown) => this.#warn("restored", reason));
        this.#inspector = inspect && new Inspector({ clock, redact: inspect.redact ?? [], kept });
        this.#inspector?.subscribe(onInspect);
      }
      this.#rules = { ...(access ? { access } : {}), ...(inspect ? { inspect } : {}) };
    };
  }

  /** Writes the requests down for the tunnel's next start, where it was started with a file for them. Never rejects. */
  async keep(): Promise<void> {
    const kept = this.#file && this.#inspector?.keep();
    if (kept) await this.#file?.write(kept).catch((reason: unknown) => this.#warn("kept", reason));
  }

  async close(): Promise<void> {
    this.#access?.close();
    await this.#inspector?.close();
  }

  #keptFile({ path, key }: NonNullable<NonNullable<TunnelSpec["inspect"]>["keep"]>): KeptFile {
    const { id, clock } = this.#context;
    return new KeptFile({ path, key: Buffer.from(key, "base64"), owner: id, clock });
  }

  #warn(what: "kept" | "restored", reason: unknown): undefined {
    this.#context.log.warn({}, `Requests can't be ${what}: ${PortholeError.from(reason).message}`);
  }
}

function accessSettings(spec: AccessSpec, clock: Clock): Parameters<typeof openAccess>[0] {
  const { addresses, paths, endsAt, users, bearerTokens, share, webhook } = spec;
  return {
    addresses,
    paths,
    share,
    forMs: endsAt === undefined ? undefined : endsAt - clock.now(),
    basic: lines(users),
    bearer: lines(bearerTokens),
    webhook: webhook?.scheme,
    webhookSecret: lines(webhook?.secrets),
  };
}

function lines(texts: readonly string[] | undefined): Secret | undefined {
  return texts && texts.length > 0 ? new Secret(texts.join("\n")) : undefined;
}
