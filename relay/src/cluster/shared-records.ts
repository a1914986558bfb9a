import { PortholeError } from "@porthole/common/errors";
import { noEnrollments, readEnrollments, type Enrollments } from "../admission/index.ts";

/** A relay of the cluster. */
export interface MemberRecord {
  readonly host: string;
  readonly port: number;
  readonly joinedAt: number;
  /** It was removed: its node key opens nothing any more. */
  readonly removedAt?: number | undefined;
}

/** Records that all relays of a cluster share and none may lose. */
export interface SharedRecords extends Enrollments {
  /** Relays by the fingerprint of their node keys. */
  readonly members: Readonly<Record<string, MemberRecord>>;
  /** Texts that only relays read, such as the key that clients pin. */
  readonly secrets: Readonly<Record<string, { readonly text: string }>>;
  /** What one relay does for all now, and until when it is its turn. */
  readonly turns: Readonly<Record<string, { readonly node: string; readonly until: number }>>;
  /** How many certificates were ordered; see QuotaState. One record, `all`. */
  readonly quotas: Readonly<Record<string, unknown>>;
}

export const noSharedRecords: SharedRecords = { ...noEnrollments, members: {}, secrets: {}, turns: {}, quotas: {} };

export const recordKinds = ["invites", "keys", "names", "bans", "members", "secrets", "turns", "quotas"] as const;
export type RecordKind = (typeof recordKinds)[number];

/** Throws `state`. */
export function readSharedRecords(value: unknown): SharedRecords {
  const { members = {}, secrets = {}, turns = {}, quotas = {} } = Object(value) as Partial<SharedRecords>;
  for (const { host, port, joinedAt } of Object.values(members))
    if (typeof host !== "string" || !Number.isInteger(port) || !Number.isInteger(joinedAt))
      throw new PortholeError("state", "a member is none");
  for (const { text } of Object.values(secrets))
    if (typeof text !== "string") throw new PortholeError("state", "a secret is no text");
  for (const { node, until } of Object.values(turns))
    if (typeof node !== "string" || !Number.isFinite(until)) throw new PortholeError("state", "a turn is nobody's");
  return { ...readEnrollments(value), members, secrets, turns, quotas };
}

/** One record, or that there is none any more. */
export interface Change {
  readonly kind: RecordKind;
  readonly key: string;
  readonly record: unknown;
}

/** Returns the changes that turn `before` into `after`. */
export function differences(before: SharedRecords, after: SharedRecords): Change[] {
  return recordKinds.flatMap((kind): Change[] => {
    const [old, young]: Readonly<Record<string, unknown>>[] = [before[kind], after[kind]];
    if (old === young || !old || !young) return [];
    const changed = Object.keys(young).filter((key) => !Object.hasOwn(old, key) || young[key] !== old[key]);
    const gone = Object.keys(old).filter((key) => !Object.hasOwn(young, key));
    return [
      ...changed.map((key) => ({ kind, key, record: young[key] })),
      ...gone.map((key) => ({ kind, key, record: undefined })),
    ];
  });
}

/** Throws `state` for a record that is none of its kind. */
export function withChanges(state: SharedRecords, changes: readonly Change[]): SharedRecords {
  const next: Record<RecordKind, Record<string, unknown>> = { ...state };
  const copied = new Set<RecordKind>();
  for (const { kind, key, record } of changes) {
    if (!copied.has(kind)) next[kind] = { ...next[kind] };
    copied.add(kind);
    if (record === undefined) delete next[kind][key];
    else next[kind][key] = readRecord(kind, key, record);
  }
  return next as unknown as SharedRecords;
}

function readRecord(kind: RecordKind, key: string, record: unknown): unknown {
  return readSharedRecords({ ...noSharedRecords, [kind]: { [key]: record } })[kind][key];
}
