import type { Sealer } from "../sealed.ts";
import { recordKinds, type Change, type RecordKind } from "../shared-records.ts";

/** A record's place in the stream: its kind, and its key in a form that every subject may have. */
export function encodeSubject(kind: RecordKind, key: string): string {
  return `${kind}.${Buffer.from(key).toString("base64url")}`;
}

/** Undefined for what this version does not know. */
export function decodeChange(subject: string, text: string): Change | undefined {
  const [kind = "", key = "", ...rest] = subject.split(".");
  const known = recordKinds.find((each) => each === kind);
  if (known === undefined || rest.length > 0) return undefined;
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    return undefined;
  }
  return { kind: known, key: Buffer.from(key, "base64url").toString(), record: record ?? undefined };
}

/** Returns the sealed record for changes that follow the record with the number `at`. It is sealed for its own number, so the engine can't show an old record as a new one. */
export function sealChanges(
  sealer: Sealer,
  changes: readonly Change[],
  at: number,
): { readonly subject: string; readonly data: Buffer }[] {
  return changes.map(({ kind, key, record }, index) => {
    const subject = encodeSubject(kind, key);
    return { subject, data: sealer.seal(`${subject} ${at + 1 + index}`, JSON.stringify(record ?? null)) };
  });
}
