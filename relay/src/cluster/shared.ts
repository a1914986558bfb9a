import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { generateKey, loadOrCreateKey, parseKey } from "@porthole/common/identity";
import type { Logger } from "@porthole/common/log";
import { createFileAtomic, readFileIfExists, type Clock, type Secret } from "@porthole/common/util";
import type { Enrollments, Ledger } from "../admission/index.ts";
import type { EngineConfig } from "./nats/engine.ts";
import { NatsLedger } from "./nats/nats-ledger.ts";
import type { Peer } from "./peer.ts";
import type { SharedRecords } from "./shared-records.ts";
import { ownFile } from "../workers/role.ts";

/** Settings of a cluster whose records an engine keeps. */
export interface SharedConfig {
  readonly engine: EngineConfig;
  readonly secret: Secret;
}

const serviceKeyName = "relay-key";

/** The ledger of the cluster. The caller closes it. Rejects as NatsLedger.open. */
export function openShared(
  { engine, secret }: SharedConfig,
  context: {
    readonly clock: Clock;
    readonly log: Logger;
    readonly stateDir?: string;
    readonly worker?: number | undefined;
  },
): Promise<NatsLedger> {
  const { clock, log, stateDir, worker } = context;
  const mirrorPath = stateDir === undefined ? undefined : mirrorPathOf(stateDir, worker);
  return NatsLedger.open({ engine, secret, clock, log, mirrorPath });
}

/** Returns the path of a relay's own copy of the records. */
export function mirrorPathOf(stateDir: string, worker?: number): string {
  return join(stateDir, ownFile("cluster-records.bin", worker));
}

/** The part of the cluster's records that decides about clients. Closing it does nothing. */
export function enrollmentsOf(ledger: Ledger<SharedRecords>): Ledger<Enrollments> {
  return {
    get state() {
      return ledger.state;
    },
    update: (change, signal) => ledger.update((state, now) => ({ ...state, ...change(state, now) }), signal),
    watch: (onChange) => ledger.watch(onChange),
    close: async () => {},
  };
}

/**
 * Makes the key that clients pin the same at all relays: the first one's is the cluster's. Rejects with `state` for a relay that
 * has another one already.
 */
export async function shareServiceKey(
  ledger: Ledger<SharedRecords>,
  { stateDir, log }: { readonly stateDir: string; readonly log: Logger },
  signal: AbortSignal,
): Promise<void> {
  const path = join(stateDir, "relay-key.pem");
  const hasOwn = (await readFileIfExists(path)) !== undefined;
  if (ledger.state.secrets[serviceKeyName] === undefined) {
    const { pem } = hasOwn ? await loadOrCreateKey(path, { logger: log }) : generateKey();
    await ledger.update(
      (state) =>
        state.secrets[serviceKeyName]
          ? state
          : { ...state, secrets: { ...state.secrets, [serviceKeyName]: { text: pem } } },
      signal,
    );
  }
  const shared = ledger.state.secrets[serviceKeyName]?.text;
  if (shared === undefined) throw new PortholeError("busy", "The cluster's key can't be had now");
  if (!hasOwn) await createFileAtomic(path, shared);
  const own = await loadOrCreateKey(path, { logger: log });
  if (own.fingerprint !== parseKey(shared, "the cluster's records").fingerprint)
    throw new PortholeError("state", `${path} is not the key of the cluster`, {
      hint: "Clients pin the cluster's key. Move the file away, and the relay gets the cluster's.",
    });
}

/** Says to all relays where this one is. Rejects with `unauthorized` for a relay that was removed. */
export async function joinCluster(
  ledger: Ledger<SharedRecords>,
  { node, host, port }: Peer,
  signal: AbortSignal,
): Promise<void> {
  await ledger.update((state, now) => {
    const known = state.members[node];
    if (known?.removedAt !== undefined)
      throw new PortholeError("unauthorized", "This relay was removed from the cluster", {
        hint: "To bring it back, move its node-key.pem away.",
      });
    if (known?.host === host && known.port === port) return state;
    return { ...state, members: { ...state.members, [node]: { host, port, joinedAt: known?.joinedAt ?? now } } };
  }, signal);
}

/** Relays that are members now. */
export function membersOf(state: SharedRecords): Peer[] {
  return Object.entries(state.members).flatMap(([node, { host, port, removedAt }]) =>
    removedAt === undefined ? [{ node, host, port }] : [],
  );
}

/** Takes a relay out: its links end at all relays, and it can't come back with this key. Throws `usage`. */
export function withoutMember(state: SharedRecords, node: string, now: number): SharedRecords {
  const [found, ...others] = Object.keys(state.members).filter((each) => each.startsWith(node));
  const member = found === undefined ? undefined : state.members[found];
  if (found === undefined || others.length > 0 || !member || member.removedAt !== undefined)
    throw new PortholeError("usage", `No one relay of the cluster is called ${JSON.stringify(node)}`, {
      hint: "porthole-relay cluster list shows them.",
    });
  return { ...state, members: { ...state.members, [found]: { ...member, removedAt: now } } };
}
