import { PortholeError } from "@porthole/common/errors";
import { sameSecret, Secret } from "@porthole/common/util";
import type { RawHeaders } from "../http/index.ts";
import { onlyValueOf } from "./headers.ts";

/** `user:password` pairs, one a line, as they come from a file or the environment. Throws `usage`, without the text. */
export function parseUsers(text: Secret): readonly Secret[] {
  const users = linesOf(text);
  for (const [index, user] of users.entries())
    if (!/^[^:]+:./s.test(user.reveal()))
      throw new PortholeError("usage", `Line ${index + 1} of the users is not of the form user:password`);
  if (users.length === 0) throw new PortholeError("usage", "There is no user:password in it");
  return users;
}

/** Bearer tokens, or secrets of webhooks, one a line. Throws `usage`. */
export function parseSecrets(text: Secret, what: string): readonly Secret[] {
  const secrets = linesOf(text);
  if (secrets.length === 0) throw new PortholeError("usage", `There is no ${what} in it`);
  return secrets;
}

/** Whether `Authorization: Basic` (RFC 7617, UTF-8) names one of the users. */
export function isUser(headers: RawHeaders, users: readonly Secret[]): boolean {
  const given = authorizationOf(headers, "basic");
  return given !== undefined && isOneOf(Buffer.from(given, "base64"), users);
}

/** Whether `Authorization: Bearer` (RFC 6750) has one of the tokens. */
export function isBearer(headers: RawHeaders, tokens: readonly Secret[]): boolean {
  const given = authorizationOf(headers, "bearer");
  return given !== undefined && isOneOf(given, tokens);
}

/** Returns the credentials behind the scheme in Authorization (RFC 9110 section 11.6.2). Undefined for another scheme. `scheme` is in lower case. */
export function authorizationOf(headers: RawHeaders, scheme: string): string | undefined {
  const match = /^([A-Za-z]+) +(\S+)$/.exec(onlyValueOf(headers, "authorization") ?? "");
  return match?.[1]?.toLowerCase() === scheme ? match[2] : undefined;
}

/** All are compared, so that the time does not tell which of them it was. */
function isOneOf(given: string | Uint8Array, secrets: readonly Secret[]): boolean {
  return secrets.map((secret) => sameSecret(given, secret.reveal())).includes(true);
}

function linesOf(text: Secret): Secret[] {
  return text
    .reveal()
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("# "))
    .map((line) => new Secret(line));
}
