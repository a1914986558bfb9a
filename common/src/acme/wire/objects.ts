import { notAcme } from "./axios-adapter.ts";
import { readProblem, type AcmeProblem } from "./problem.ts";

/** RFC 8555 7.1.1, as far as we need it. */
export interface Directory {
  readonly termsOfService: string | undefined;
  readonly externalAccountRequired: boolean;
  /** RFC 9773: where the authority says when certificates should be renewed. */
  readonly renewalInfo: string | undefined;
}

/** RFC 8555 7.1.3. */
export interface AcmeOrder {
  readonly url: string;
  readonly status: string;
  readonly authorizations: readonly string[];
  readonly finalize: string;
  readonly certificate?: string;
  readonly error?: AcmeProblem;
}

/** RFC 8555 7.1.4. */
export interface AcmeAuthorization {
  readonly status: string;
  readonly challenges: readonly AcmeChallenge[];
}

/** RFC 8555 8. */
export interface AcmeChallenge {
  readonly type: string;
  readonly url: string;
  readonly token: string;
  readonly status: string;
  readonly error?: AcmeProblem;
}

type Fields = Readonly<Record<string, unknown>>;

// The authority is another party: its objects are checked once, here, and code further in relies on their types.

/** Reads a directory (RFC 8555 section 7.1.1). Throws `protocol`. */
export function readDirectory(value: unknown, from: string): Directory {
  const fields = object(value, from, "the directory");
  for (const needed of ["newNonce", "newAccount", "newOrder"])
    if (typeof fields[needed] !== "string") throw notAcme(from, `its directory lacks ${needed}`);
  const meta: Fields = isObject(fields["meta"]) ? fields["meta"] : {};
  return {
    termsOfService: optionalText(meta["termsOfService"]),
    externalAccountRequired: meta["externalAccountRequired"] === true,
    renewalInfo: optionalText(fields["renewalInfo"]),
  };
}

/** Reads an order (RFC 8555 section 7.1.3). Throws `protocol`. */
export function readOrder(value: unknown, from: string): AcmeOrder {
  const fields = object(value, from, "an order");
  const { authorizations, certificate, error } = fields;
  if (!Array.isArray(authorizations) || !authorizations.every((url) => typeof url === "string"))
    throw notAcme(from, "an order lacks its authorizations");
  return {
    url: text(fields, "url", from),
    status: text(fields, "status", from),
    authorizations,
    finalize: text(fields, "finalize", from),
    ...(typeof certificate === "string" && { certificate }),
    ...(isObject(error) && { error: readProblem(0, error) }),
  };
}

/** Reads an authorization (RFC 8555 section 7.1.4). Throws `protocol`. */
export function readAuthorization(value: unknown, from: string): AcmeAuthorization {
  const fields = object(value, from, "an authorization");
  const { challenges } = fields;
  if (!Array.isArray(challenges)) throw notAcme(from, "an authorization lacks its challenges");
  return { status: text(fields, "status", from), challenges: challenges.map((each) => readChallenge(each, from)) };
}

function readChallenge(value: unknown, from: string): AcmeChallenge {
  const fields = object(value, from, "a challenge");
  return {
    type: text(fields, "type", from),
    url: text(fields, "url", from),
    status: text(fields, "status", from),
    token: optionalText(fields["token"]) ?? "",
    ...(isObject(fields["error"]) && { error: readProblem(0, fields["error"]) }),
  };
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function object(value: unknown, from: string, what: string): Fields {
  if (isObject(value)) return value;
  throw notAcme(from, `${what} is not an object`);
}

function text(fields: Fields, field: string, from: string): string {
  const value = fields[field];
  if (typeof value === "string") return value;
  throw notAcme(from, `"${field}" is missing`);
}

function optionalText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
