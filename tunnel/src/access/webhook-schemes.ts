import { PortholeError } from "@porthole/common/errors";
import type { RawHeaders } from "../http/index.ts";
import { onlyValueOf } from "./headers.ts";

/** The claim of a request's head about its body. The body proves it. */
export type Claim =
  /** HMAC over these parts, the body among them. */
  | {
      readonly kind: "hmac";
      readonly algorithm: HmacAlgorithm;
      readonly key: (secret: string) => Uint8Array | string;
      readonly before: string;
      /** Any of them may be right: senders sign with the old and the new secret while one replaces the other. */
      readonly signatures: readonly Buffer[];
      /** Seconds since 1970, where the scheme signs it. */
      readonly sentAt?: number;
    }
  /** The secret itself. */
  | { readonly kind: "token"; readonly token: string };

export type HmacAlgorithm = "sha1" | "sha256" | "sha512";

/** How a sender of webhooks proves that it is the sender. */
export interface WebhookScheme {
  /** As the user wrote it. */
  readonly text: string;
  /** Undefined when the head has no well-formed signature. `secret` decides between schemes of senders that have two. */
  claim(headers: RawHeaders, secret: string): Claim | undefined;
  /** Throws `usage`, without the secret, for one that is no key: a signature by an empty key is everybody's. `line` is where it stands. */
  checkSecret(secret: string, line: number): void;
}

type Preset = WebhookScheme["claim"];

const signingTokenPrefix = "whsec_";
/** The shortest signing token, decoded. The specification says 24 to 64 bytes. */
const leastTokenBytes = 16;

/** Each as its sender publishes it. */
const presets: Readonly<Record<string, Preset>> = {
  // https://docs.stripe.com/webhooks#verify-manually: the secret is used whole, whsec_ included; other schemes than v1 don't count.
  stripe(headers) {
    const parts = (onlyValueOf(headers, "stripe-signature") ?? "").split(",").map((part) => part.trim());
    const timestamp = parts.find((part) => part.startsWith("t="))?.slice(2) ?? "";
    const signatures = parts.filter((part) => part.startsWith("v1=")).flatMap((part) => fromHex(part.slice(3)));
    return timed(timestamp, { before: `${timestamp}.`, signatures });
  },
  // https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
  github: (headers) => untimed(prefixedHex(headers, "x-hub-signature-256", "sha256=")),
  // https://docs.gitlab.com/user/project/integrations/webhooks/: a signing token (Standard Webhooks), or the older secret token as it is.
  gitlab(headers, secret) {
    if (secret.startsWith(signingTokenPrefix)) return standard(headers, secret);
    const token = onlyValueOf(headers, "x-gitlab-token");
    return token ? { kind: "token", token } : undefined;
  },
  // https://shopify.dev/docs/apps/build/webhooks/subscribe/https
  shopify: (headers) => untimed(fromBase64(onlyValueOf(headers, "x-shopify-hmac-sha256") ?? "")),
  // https://docs.slack.dev/authentication/verifying-requests-from-slack
  slack(headers) {
    const timestamp = onlyValueOf(headers, "x-slack-request-timestamp") ?? "";
    return timed(timestamp, {
      before: `v0:${timestamp}:`,
      signatures: prefixedHex(headers, "x-slack-signature", "v0="),
    });
  },
  standard,
};

/**
 * Reads a preset's name, or `hmac:HEADER`, `hmac:HEADER:ALGORITHM`, `hmac:HEADER:ALGORITHM:ENCODING`: an HMAC of the body in that header, by sha256 (or sha1, sha512)
 * in hex (or base64), with or without `ALGORITHM=` before it. Throws `usage`.
 */
export function parseWebhookScheme(text: string): WebhookScheme {
  const preset = Object.hasOwn(presets, text) ? presets[text] : undefined;
  if (preset) return { text, claim: preset, checkSecret: (secret, line) => checkSecret(text, secret, line) };
  const match = /^hmac:([!#$%&'*+\-.^_`|~\w]+)(?::(sha1|sha256|sha512)(?::(hex|base64))?)?$/.exec(text);
  if (!match)
    throw new PortholeError("usage", `"${text}" is not a way to sign webhooks`, {
      hint: `Write ${Object.keys(presets).join(", ")}, or hmac:HEADER[:sha1|sha256|sha512[:hex|base64]].`,
    });
  const [, header = "", algorithm = "sha256", encoding = "hex"] = match;
  return {
    text,
    checkSecret() {},
    claim(headers) {
      const value = onlyValueOf(headers, header.toLowerCase()) ?? "";
      const bare = value.startsWith(`${algorithm}=`) ? value.slice(algorithm.length + 1) : value;
      return untimed(encoding === "hex" ? fromHex(bare) : fromBase64(bare), algorithm as HmacAlgorithm);
    },
  };
}

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md; many senders use it. */
function standard(headers: RawHeaders, _secret: string): Claim | undefined {
  const id = onlyValueOf(headers, "webhook-id") ?? "";
  const timestamp = onlyValueOf(headers, "webhook-timestamp") ?? "";
  const signatures = (onlyValueOf(headers, "webhook-signature") ?? "")
    .split(" ")
    .filter((one) => one.startsWith("v1,"))
    .flatMap((one) => fromBase64(one.slice(3)));
  if (id === "") return undefined;
  return timed(timestamp, {
    before: `${id}.${timestamp}.`,
    signatures,
    key: signingKeyOf,
  });
}

function signingKeyOf(secret: string): Buffer {
  const text = secret.startsWith(signingTokenPrefix) ? secret.slice(signingTokenPrefix.length) : secret;
  return /^[A-Za-z0-9+/_-]+={0,2}$/.test(text) ? Buffer.from(text, "base64") : Buffer.alloc(0);
}

function checkSecret(preset: string, secret: string, line: number): void {
  const isToken = preset === "standard" || (preset === "gitlab" && secret.startsWith(signingTokenPrefix));
  if (isToken && signingKeyOf(secret).length < leastTokenBytes)
    throw new PortholeError("usage", `The webhook secret on line ${line} is not a signing token`, {
      hint: `Copy it whole from the sender: ${signingTokenPrefix} and base64 of at least ${leastTokenBytes} bytes.`,
    });
  if (preset === "stripe" && secret === signingTokenPrefix)
    throw new PortholeError("usage", `The webhook secret on line ${line} ends after ${signingTokenPrefix}`, {
      hint: "Copy it whole from Stripe.",
    });
}

function untimed(signatures: readonly Buffer[], algorithm: HmacAlgorithm = "sha256"): Claim | undefined {
  return signatures.length === 0
    ? undefined
    : { kind: "hmac", algorithm, key: (secret) => secret, before: "", signatures };
}

function timed(
  timestamp: string,
  {
    before,
    signatures,
    key = (secret) => secret,
  }: Pick<Claim & { kind: "hmac" }, "before" | "signatures"> & {
    readonly key?: (secret: string) => Uint8Array | string;
  },
): Claim | undefined {
  if (!/^\d{1,12}$/.test(timestamp) || signatures.length === 0) return undefined;
  return { kind: "hmac", algorithm: "sha256", key, before, signatures, sentAt: Number(timestamp) };
}

function prefixedHex(headers: RawHeaders, name: string, prefix: string): Buffer[] {
  const value = onlyValueOf(headers, name) ?? "";
  return value.startsWith(prefix) ? fromHex(value.slice(prefix.length)) : [];
}

function fromHex(text: string): Buffer[] {
  return /^(?:[0-9a-fA-F]{2})+$/.test(text) ? [Buffer.from(text, "hex")] : [];
}

function fromBase64(text: string): Buffer[] {
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? [Buffer.from(text, "base64")] : [];
}
