import { PortholeError, setting } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import { friendlyName } from "@porthole/common/protocol";
import { longestTimerMs, makeFolder, type Clock, type Secret, type Timer } from "@porthole/common/util";
import { unknownClient, type AdmissionRequest, type Authorize } from "./admission-request.ts";
import { authorizedKeys, type AuthorizedKeys } from "./authorized-keys.ts";
import { openEnrollmentFile } from "./enrollment-file.ts";
import type { Enrollments } from "./enrollments.ts";
import type { Ledger } from "./ledger.ts";
import { banReason } from "./bans.ts";
import { isEnrolled, labelOf, nextExpiry } from "./keys.ts";
import { useInvite } from "./invites.ts";
import type { WebhookSettings } from "./signed-post.ts";
import { webhookAuthorize } from "./webhook.ts";
import { grantName, ownsName } from "./names.ts";

/** How a relay decides who may connect. */
export interface AdmissionConfig {
  /** Everyone may. */
  readonly open: boolean;
  /** File with client ids and fingerprints. */
  readonly keysPath?: string | undefined;
  /** A program of the operator's, asked about those whom no list knows. */
  readonly webhook?: WebhookSettings | undefined;
  /** Whether clients may have friendly names. */
  readonly givesNames: boolean;
  /** Friendly names that clients can't have under any suffix: first labels of the relay's own names. */
  readonly reservedNames: readonly string[];
  readonly stateDir: string;
}

export interface AdmissionContext {
  readonly clock: Clock;
  readonly log: Logger;
  /** The embedding program's, asked about those whom neither a list nor the webhook lets in. */
  readonly authorize?: Authorize | undefined;
  /** The enrollments' store. Defaults to a file in the state folder. Its opener closes it. */
  readonly ledger?: Ledger<Enrollments> | undefined;
}

/** A client's admission. */
export interface Grant {
  /** The public name, whole and canonical. */
  readonly hostname: string;
  /** The operator's label: that of the invite by which its key has joined. */
  readonly label?: string | undefined;
  /** Fingerprint of its owner: the key that a list has, or else the one that vouches for it, or else its own. */
  readonly owner: string;
  /** Why it has to go now, when what let it in does not hold any more. */
  readonly revocationReason: () => PortholeError | undefined;
  /** Admitted by webhook or callback; a later denial for the same key revokes this link. */
  readonly isExternallyAuthorized: boolean;
}

/** Events that may end earlier admissions. */
export interface AdmissionEvents {
  /** Lists or bans have changed, so earlier admissions may no longer hold. */
  onChange(): void;
  /** The webhook or the embedding program has now denied this key. */
  onRefusal(fingerprint: string, refusal: PortholeError): void;
  /** A key has been enrolled by an invite. */
  onJoin(clientId: string, label: string | undefined, address: string): void;
  /** The operator has banned a key, network or name; until a time in milliseconds since 1970, or without an end. */
  onBan(what: string, until: number | undefined): void;
}

type Basis = Pick<Grant, "revocationReason" | "isExternallyAuthorized">;

/** Again later: the reason is at the relay and may pass. */
const retryAfterMs = 60_000;
const holds = (): undefined => undefined;
const isDenial = (reason: unknown): boolean => reason instanceof PortholeError && reason.code === "unauthorized";

export class Admission {
  readonly #config: AdmissionConfig;
  readonly #context: AdmissionContext;
  readonly #events: AdmissionEvents;
  readonly #ledger: Ledger<Enrollments>;
  readonly #keys: AuthorizedKeys | undefined;
  /** Decide about clients that no list knows; one that allows a client is enough. */
  readonly #authorizers: readonly Authorize[];
  #expiry: Timer | undefined;

  private constructor(
    config: AdmissionConfig,
    context: AdmissionContext,
    events: AdmissionEvents,
    ledger: Ledger<Enrollments>,
    keys: AuthorizedKeys | undefined,
  ) {
    this.#config = config;
    this.#context = context;
    this.#events = events;
    this.#ledger = ledger;
    this.#keys = keys;
    this.#authorizers = [
      ...(config.webhook ? [webhookAuthorize(config.webhook, context.clock)] : []),
      ...(context.authorize ? [context.authorize] : []),
    ];
  }

  /** Rejects with `state` or `usage` when a file is damaged. The caller closes it. */
  static async open(config: AdmissionConfig, context: AdmissionContext, events: AdmissionEvents): Promise<Admission> {
    await makeFolder(config.stateDir);
    const ledger = context.ledger ?? (await openEnrollmentFile(config.stateDir, context));
    let known = ledger.state.bans;
    const onChange = (): void => {
      const before = known;
      known = ledger.state.bans;
      for (const [what, { until, bannedAt }] of Object.entries(known))
        if (!Object.hasOwn(before, what) || before[what]?.bannedAt !== bannedAt) events.onBan(what, until);
      events.onChange();
    };
    const { keysPath } = config;
    const keys = keysPath === undefined ? undefined : await authorizedKeys(keysPath, context.log, onChange);
    const admission = new Admission(config, context, events, ledger, keys);
    ledger.watch(() => {
      admission.#watchExpiry();
      onChange();
    });
    admission.#watchExpiry();
    return admission;
  }

  /** Whether nobody can come in as things are. */
  get isEmpty(): boolean {
    const { invites, keys } = this.#ledger.state;
    const lists = this.#config.open || this.#keys !== undefined || this.#authorizers.length > 0;
    return !lists && Object.keys(invites).length === 0 && Object.keys(keys).length === 0;
  }

  /** Lets a client in. Rejects with `unauthorized`, `name` or `busy` and a sentence for the client's user. */
  async admit(request: AdmissionRequest, signal: AbortSignal): Promise<Grant> {
    try {
      const { peer, owner = peer, name } = request;
      this.#refuseBanned(request);
      const basis = await this.#letIn(request, signal);
      const hostname = `${peer.clientId}.${request.suffix}`;
      const known = this.#knownKey(request) ?? owner.fingerprint;
      const grant: Grant = { ...basis, hostname, owner: known, label: labelOf(this.#ledger.state, known) };
      const named = name === undefined ? grant : await this.#withName(request, name, grant, signal);
      const revocationReason = (): PortholeError | undefined =>
        this.#banReason(request, named.hostname) ?? named.revocationReason();
      return { ...named, revocationReason };
    } catch (reason) {
      throw this.#forClient(reason, signal);
    }
  }

  /** Before anybody is asked, and anything is written. */
  #refuseBanned(request: AdmissionRequest): void {
    const label = request.name === undefined ? request.peer.clientId : friendlyName(request.name);
    const banned = this.#banReason(request, `${label}.${request.suffix}`);
    if (banned) throw banned;
  }

  #banReason({ peer, owner = peer, address }: AdmissionRequest, hostname: string): PortholeError | undefined {
    return banReason(this.#ledger.state, { keys: [peer, owner], address, hostname }, this.#context.clock.now());
  }

  /** Rereads the list of keys now; what the relay writes itself is watched. */
  async reread(): Promise<void> {
    await this.#keys?.reread();
  }

  /** Links of a key end when it expires. */
  #watchExpiry(): void {
    const { clock } = this.#context;
    this.#expiry?.cancel();
    const now = clock.now();
    const at = nextExpiry(this.#ledger.state, now);
    if (at === undefined) return;
    this.#expiry = clock.timer(Math.min(at - now, longestTimerMs), () => {
      this.#events.onChange();
      this.#watchExpiry();
    });
  }

  async close(): Promise<void> {
    this.#expiry?.cancel();
    this.#keys?.close();
    if (this.#ledger !== this.#context.ledger) await this.#ledger.close();
  }

  /** Returns what could end the admission later. */
  async #letIn(request: AdmissionRequest, signal: AbortSignal): Promise<Basis> {
    const { peer } = request;
    const listed: Basis = {
      revocationReason: () => (this.#isKnown(request) ? undefined : unknownClient(peer.clientId)),
      isExternallyAuthorized: false,
    };
    if (this.#config.open && this.#authorizers.length === 0)
      return { revocationReason: holds, isExternallyAuthorized: false };
    if (this.#isKnown(request)) return listed;
    // Another process of this relay may have enrolled it a moment ago.
    await this.#ledger.refresh?.();
    if (this.#isKnown(request)) return listed;
    let refusal: unknown = unknownClient(peer.clientId);
    if (request.token) {
      try {
        await this.#enrol(request, request.token, signal);
        return listed;
      } catch (reason) {
        refusal = reason;
      }
    }
    let denials = 0;
    for (const authorize of this.#authorizers) {
      try {
        await authorize(request, signal);
        return { revocationReason: holds, isExternallyAuthorized: true };
      } catch (reason) {
        refusal = reason;
        if (isDenial(reason)) denials += 1;
      }
    }
    // Who could not be asked has not said no.
    if (denials > 0 && denials === this.#authorizers.length)
      this.#events.onRefusal(peer.fingerprint, PortholeError.from(refusal));
    throw refusal;
  }

  async #enrol({ peer, owner = peer, address }: AdmissionRequest, token: Secret, signal: AbortSignal): Promise<void> {
    await this.#ledger.update((enrollments, now) => useInvite(enrollments, token, owner.fingerprint, now), signal);
    this.#context.log.info({ clientId: owner.clientId, address }, "A key has joined by an invite");
    this.#watchExpiry();
    this.#events.onJoin(owner.clientId, labelOf(this.#ledger.state, owner.fingerprint), address);
  }

  #isKnown(request: AdmissionRequest): boolean {
    return this.#knownKey(request) !== undefined;
  }

  /** The key that a list has: the client's own, or its owner's. */
  #knownKey({ peer, owner = peer }: AdmissionRequest): string | undefined {
    const now = this.#context.clock.now();
    const known = [peer, owner].find(
      (key) => isEnrolled(this.#ledger.state, key.fingerprint, now) || (this.#keys?.isAllowed(key) ?? false),
    );
    return known?.fingerprint;
  }

  async #withName(request: AdmissionRequest, wanted: string, grant: Grant, signal: AbortSignal): Promise<Grant> {
    if (!this.#config.givesNames)
      throw new PortholeError("name", "this relay gives no friendly names", { hint: `Leave out ${setting("name")}.` });
    const { suffix } = request;
    const { fingerprint } = request.peer;
    const name = friendlyName(wanted);
    if (name === undefined || this.#config.reservedNames.includes(name))
      throw new PortholeError("name", `${JSON.stringify(wanted)} can't be a client's name`, {
        hint: `Choose another ${setting("name")}, or leave it out.`,
      });
    if (!ownsName(this.#ledger.state, name, fingerprint))
      await this.#ledger.update(
        (enrollments, now) => grantName(enrollments, name, fingerprint, now, grant.owner),
        signal,
      );
    return {
      ...grant,
      hostname: `${name}.${suffix}`,
      revocationReason: () =>
        grant.revocationReason() ??
        (ownsName(this.#ledger.state, name, fingerprint)
          ? undefined
          : new PortholeError("name", `the name ${name} was revoked by the relay's operator`)),
    };
  }

  /** Returns the error for the client. A fault of the relay is logged, and the client learns only that it may try again. */
  #forClient(reason: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    const isPlain = reason instanceof PortholeError && ["unauthorized", "name", "busy"].includes(reason.code);
    if (isPlain) return reason;
    this.#context.log.error({ reason: PortholeError.from(reason).message }, "Can't decide who may connect; refused");
    return new PortholeError("unauthorized", "this relay can't decide at present whether you may connect", {
      hint: "Try again in a minute, or tell the relay's operator.",
      retryAfterMs,
    });
  }
}
