import { PortholeError } from "@porthole/common/errors";
import type { Enrollments } from "./enrollments.ts";

/** Reads what a file has; throws an error that names the damage. */
export function readEnrollments(value: unknown): Enrollments {
  const { invites, keys, names, bans = {} } = record(value, "it");
  return {
    invites: entries(invites, "invites", (invite, where) => ({
      hash: text(invite["hash"], `${where}.hash`),
      uses: count(invite["uses"], `${where}.uses`),
      usedBy: list(invite["usedBy"], `${where}.usedBy`),
      createdAt: count(invite["createdAt"], `${where}.createdAt`),
      expiresAt: count(invite["expiresAt"], `${where}.expiresAt`),
      label: optional(invite["label"], (given) => text(given, `${where}.label`)),
      maxNames: optional(invite["maxNames"], (given) => count(given, `${where}.maxNames`)),
      keyLastsMs: optional(invite["keyLastsMs"], (given) => count(given, `${where}.keyLastsMs`)),
    })),
    keys: entries(keys, "keys", (key, where) => ({
      enrolledAt: count(key["enrolledAt"], `${where}.enrolledAt`),
      invite: text(key["invite"], `${where}.invite`),
      label: optional(key["label"], (given) => text(given, `${where}.label`)),
      maxNames: optional(key["maxNames"], (given) => count(given, `${where}.maxNames`)),
      expiresAt: optional(key["expiresAt"], (given) => count(given, `${where}.expiresAt`)),
      revokedAt: optional(key["revokedAt"], (given) => count(given, `${where}.revokedAt`)),
    })),
    names: entries(names, "names", (name, where) => ({
      fingerprint: text(name["fingerprint"], `${where}.fingerprint`),
      owner: optional(name["owner"], (given) => text(given, `${where}.owner`)),
      grantedAt: count(name["grantedAt"], `${where}.grantedAt`),
      isReserved: optional(name["isReserved"], (given) => given === true),
      releasedAt: optional(name["releasedAt"], (given) => count(given, `${where}.releasedAt`)),
    })),
    bans: entries(bans, "bans", (ban, where) => ({
      kind: oneOf(["key", "network", "name"] as const, ban["kind"], `${where}.kind`),
      bannedAt: count(ban["bannedAt"], `${where}.bannedAt`),
      until: optional(ban["until"], (given) => count(given, `${where}.until`)),
    })),
  };
}

function record(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw damaged(where, "an object");
  return value as Record<string, unknown>;
}

function entries<T>(
  value: unknown,
  where: string,
  read: (entry: Record<string, unknown>, where: string) => T,
): Record<string, T> {
  const pairs = Object.entries(record(value, where)).map(([name, entry]): [string, T] => [
    name,
    read(record(entry, `${where}.${name}`), `${where}.${name}`),
  ]);
  return Object.fromEntries(pairs);
}

function text(value: unknown, where: string): string {
  if (typeof value !== "string") throw damaged(where, "a text");
  return value;
}

function count(value: unknown, where: string): number {
  if (!Number.isSafeInteger(value) || Number(value) < 0) throw damaged(where, "a whole number");
  return Number(value);
}

function list(value: unknown, where: string): string[] {
  if (!Array.isArray(value)) throw damaged(where, "a list");
  return value.map((item) => text(item, where));
}

function oneOf<const T extends string>(allowed: readonly T[], value: unknown, where: string): T {
  const found = allowed.find((each) => each === value);
  if (found === undefined) throw damaged(where, `one of ${allowed.join(", ")}`);
  return found;
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : read(value);
}

function damaged(where: string, expected: string): PortholeError {
  return new PortholeError("state", `${where} is not ${expected}`);
}
