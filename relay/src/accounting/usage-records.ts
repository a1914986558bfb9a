import { PortholeError } from "@porthole/common/errors";

/** Bytes that the clients of one owner carried for visitors, both directions together. */
export interface UsageRecord {
  /** `2026-12-01`, UTC. */
  readonly day: string;
  readonly bytesToday: number;
  readonly bytesThisMonth: number;
  readonly bytesInTotal: number;
}

/** Records by the owner's fingerprint; the latest one comes last. */
export type UsageRecords = ReadonlyMap<string, UsageRecord>;

/** Owners that are remembered. Beyond it those are forgotten that carried nothing for longest. */
export const maxRecords = 10_000;

/** As of now: a day or a month that is over counts no more. */
export function current(record: UsageRecord | undefined, now: number): UsageRecord {
  const day = new Date(now).toISOString().slice(0, 10);
  if (!record) return { day, bytesToday: 0, bytesThisMonth: 0, bytesInTotal: 0 };
  if (record.day === day) return record;
  const isSameMonth = record.day.slice(0, 7) === day.slice(0, 7);
  return { ...record, day, bytesToday: 0, bytesThisMonth: isSameMonth ? record.bytesThisMonth : 0 };
}

/** Returns the records with `bytes` more for the owner, which becomes the latest. Drops the oldest owner beyond `maxRecords`. */
export function withBytes(records: UsageRecords, owner: string, bytes: number, now: number): UsageRecords {
  const before = current(records.get(owner), now);
  const after = new Map(records);
  after.delete(owner);
  after.set(owner, {
    day: before.day,
    bytesToday: before.bytesToday + bytes,
    bytesThisMonth: before.bytesThisMonth + bytes,
    bytesInTotal: before.bytesInTotal + bytes,
  });
  const [oldest] = after.keys();
  if (after.size > maxRecords && oldest !== undefined) after.delete(oldest);
  return after;
}

/** When the month of this time is over. Milliseconds since 1970. */
export function endOfMonth(now: number): number {
  const date = new Date(now);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

/** Reads what a file has. Throws `state`, which names the damage. */
export function readUsage(value: unknown): UsageRecords {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw damaged("it");
  return new Map(
    Object.entries(value).map(([owner, record]: [string, unknown]) => {
      const fields = Object(record) as Readonly<Record<string, unknown>>;
      const { day, bytesToday, bytesThisMonth, bytesInTotal } = fields;
      if (typeof day !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(day)) throw damaged(`${owner}.day`);
      const counts = { bytesToday, bytesThisMonth, bytesInTotal };
      for (const [name, count] of Object.entries(counts))
        if (!Number.isSafeInteger(count) || Number(count) < 0) throw damaged(`${owner}.${name}`);
      return [owner, { day, ...(counts as Omit<UsageRecord, "day">) }];
    }),
  );
}

function damaged(where: string): PortholeError {
  return new PortholeError("state", `${where} is not what it should be`);
}
