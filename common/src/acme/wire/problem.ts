import { PortholeError, type ErrorCode, setting } from "../../errors.ts";

const urn = "urn:ietf:params:acme:error:";
const maxTextLength = 1_000;
const maxSubproblems = 20;

/** A problem document as ACME servers send it (RFC 8555 6.7, RFC 7807). It is the cause of the error that is thrown. */
export class AcmeProblem extends Error {
  override readonly name = "AcmeProblem";
  /** The type without ACME's prefix: `rateLimited`. Another CA's own type is kept whole. */
  readonly type: string;
  /** HTTP status, 0 when the problem came inside another object. */
  readonly status: number;
  readonly subproblems: readonly AcmeProblem[];

  constructor(type: string, status: number, detail: string, subproblems: readonly AcmeProblem[] = []) {
    super(detail);
    this.type = type;
    this.status = status;
    this.subproblems = subproblems;
  }
}

/** Reads the server's problem document (RFC 7807) from any body. Its text is foreign, so it is cleaned and cut. */
export function readProblem(status: number, body: unknown): AcmeProblem {
  if (typeof body !== "object" || body === null)
    return new AcmeProblem("", status, typeof body === "string" ? clean(body).slice(0, 200) : "");
  const { type, detail, subproblems } = body as Record<string, unknown>;
  return new AcmeProblem(
    typeof type === "string" ? clean(type).replace(urn, "") : "",
    status,
    typeof detail === "string" ? clean(detail) : "",
    Array.isArray(subproblems) ? subproblems.slice(0, maxSubproblems).map((each) => readProblem(0, each)) : [],
  );
}

/** The problem behind an error of ours, if the certificate authority sent one. */
export function problemOf(error: unknown): AcmeProblem | undefined {
  for (let reason = error; reason instanceof Error; reason = reason.cause)
    if (reason instanceof AcmeProblem) return reason;
  return undefined;
}

interface Meaning {
  readonly code: ErrorCode;
  readonly hint?: string;
}

const later: Meaning = { code: "busy", hint: "It is tried again by itself at the time that the authority asks for." };
const contact: Meaning = { code: "usage", hint: `Give a valid e-mail address with ${setting("acme-email")}.` };
const foreignKey: Meaning = {
  code: "key",
  hint: "Use a key that certificate authorities take: ECDSA P-256 or P-384, or RSA with 2048 to 4096 bits.",
};

/** RFC 8555 6.7, as far as the type decides what to do next; the rest is `ca` (or `protocol` when we asked nonsense). */
const meanings: Readonly<Record<string, Meaning>> = {
  rateLimited: later,
  badNonce: later,
  externalAccountRequired: {
    code: "usage",
    hint: `Get a key id and an HMAC key from the authority and give them with ${setting("acme-eab-kid")} and ${setting("acme-eab-hmac-file")}.`,
  },
  invalidContact: contact,
  unsupportedContact: contact,
  userActionRequired: { code: "unauthorized", hint: "Somebody has to visit the address that the authority names." },
  unauthorized: {
    code: "unauthorized",
    hint: "The authority refuses this account; a new one can be had by moving the credentials file away.",
  },
  accountDoesNotExist: { code: "unauthorized" },
  rejectedIdentifier: {
    code: "name",
    hint: "The authority's policy excludes this name; choose another, or another authority.",
  },
  unsupportedIdentifier: { code: "name", hint: "Choose a plain host name." },
  caa: { code: "name", hint: "A CAA record of the domain excludes this authority; add one that allows it." },
  badCSR: foreignKey,
  badPublicKey: foreignKey,
  badSignatureAlgorithm: foreignKey,
  malformed: { code: "protocol" },
  serverInternal: { code: "ca" },
};

/** An answer with an error status as one of our errors. `where` is the authority's host name. */
export function answerError(where: string, problem: AcmeProblem, retryAfterMs?: number): PortholeError {
  const meaning = meaningOf(problem);
  return new PortholeError(meaning.code, `The certificate authority ${where} says: ${describe(problem)}`, {
    cause: problem,
    ...(meaning.hint !== undefined && { hint: meaning.hint }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

function meaningOf({ type, status }: AcmeProblem): Meaning {
  if (status === 429 || status === 503) return later;
  return (Object.hasOwn(meanings, type) ? meanings[type] : undefined) ?? { code: "ca" };
}

/** Hints for a failed validation, by problem type. The same types mean something else for an account. */
const validationHints: Readonly<Record<string, (name: string) => string>> = {
  dns: (name) => `Add an A or AAAA record for ${name} that leads to the relay, and wait until it is known everywhere.`,
  connection: (name) =>
    `Port 443 of ${name} must be reachable from the internet; look at the firewall and the DNS records.`,
  tls: (name) => `Something that is not the relay answers on port 443 of ${name}; look at the DNS records (AAAA too).`,
  unauthorized: (name) =>
    `Connections to port 443 of ${name} don't get to this program; look at its DNS records (A and AAAA) and at what listens there.`,
  caa: () => "A CAA record of the domain excludes this authority or this way of validation; change it.",
  rateLimited: () => "Too many validations failed; it is tried again by itself.",
};

const otherHint = (name: string): string =>
  `The DNS records of ${name} (A and AAAA) must lead to the relay, and its port 443 must be reachable from the internet.`;

/** The authority could not validate the name, or gave the order up. */
export function validationError(name: string, problem: AcmeProblem | undefined): PortholeError {
  const worst = problem?.subproblems[0] ?? problem;
  const known = worst && Object.hasOwn(validationHints, worst.type) ? validationHints[worst.type] : undefined;
  const hint = (known ?? otherHint)(name);
  return new PortholeError(
    worst?.type === "caa" ? "name" : "ca",
    `The certificate authority could not validate ${name}: ${worst ? describe(worst) : "it gave no reason"}`,
    { cause: problem ?? new AcmeProblem("", 0, ""), hint },
  );
}

function describe({ type, status, message }: AcmeProblem): string {
  const label = [type, status > 0 ? `status ${status}` : ""].filter(Boolean).join(", ");
  if (message === "") return label === "" ? "nothing" : label;
  return label === "" ? message : `${message} (${label})`;
}

function clean(text: string): string {
  return text
    .slice(0, maxTextLength)
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, " ")
    .trim();
}
