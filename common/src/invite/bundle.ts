import { createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { PortholeError } from "../errors.ts";
import { parseGivenKey, type IdentityKey } from "../identity/index.ts";
import type { Secret } from "../util/index.ts";
import { readRelays, type JoinedRelay } from "./joined-relays.ts";

/** Everything that makes a client itself: its keys by name (`primary`, `tunnels/web`), and the relays that know them, with their pins. */
export interface Bundle {
  readonly identities: readonly BundledIdentity[];
  /** Without tokens: an invite is used up by the first connection. */
  readonly relays: readonly JoinedRelay[];
}

export interface BundledIdentity {
  readonly name: string;
  readonly key: IdentityKey;
}

const label = "PORTHOLE BUNDLE";
const maxChars = 4 * 1024 * 1024;
const maxIdentities = 1_000;
/** Authenticated with the rest: a file of a later form is not taken for one of this. */
const form = "porthole bundle 1";
const [saltBytes, ivBytes, tagBytes] = [16, 12, 16];
/** 32 MiB and a tenth of a second for each guess. */
const cost = { N: 2 ** 15, r: 8, p: 1, maxmem: 2 ** 26 };
const derive = promisify<string, Buffer, number, object, Buffer>(scrypt);

/** The bundle as text for a file, encrypted with the passphrase (scrypt, AES-256-GCM) where there is one. */
export async function formatBundle({ identities, relays }: Bundle, passphrase?: Secret): Promise<string> {
  const plain = Buffer.from(
    JSON.stringify({
      form,
      identities: identities.map(({ name, key }) => ({ name, pem: key.pem })),
      relays: relays.map(({ token: _token, ...relay }) => relay),
    }),
  );
  if (passphrase === undefined) return armoured(label, plain);
  return armoured(`ENCRYPTED ${label}`, await sealed(plain, passphrase));
}

/** Whether the text is a bundle, not a key. */
export function isBundle(text: string): boolean {
  return new RegExp(`-----BEGIN (ENCRYPTED )?${label}-----`).test(text.slice(0, maxChars));
}

/** Rejects with `key` when it is damaged, when it takes a passphrase, or when that is another one. `where` names its source. */
export async function parseBundle(text: string, where: string, passphrase?: Secret): Promise<Bundle> {
  const block = new RegExp(`-----BEGIN (ENCRYPTED )?${label}-----([A-Za-z0-9+/=\\s]*)-----END \\1?${label}-----`);
  const [, encrypted, body] = (text.length > maxChars ? null : block.exec(text)) ?? [];
  if (body === undefined) throw damaged(where, "its beginning or its end is missing");
  const bytes = Buffer.from(body, "base64");
  if (encrypted === undefined) return read(bytes, where);
  if (passphrase === undefined) throw new PortholeError("key", `The bundle in ${where} takes a passphrase`);
  return read(await opened(bytes, passphrase, where), where);
}

function read(plain: Buffer, where: string): Bundle {
  try {
    const { form: written, identities, relays } = Object(JSON.parse(plain.toString())) as Record<string, unknown>;
    if (written !== form || !Array.isArray(identities) || identities.length > maxIdentities)
      throw new Error("its form");
    const named = identities.map((each: unknown) => {
      const { name, pem } = Object(each) as Record<string, unknown>;
      if (typeof name !== "string" || !isName(name) || typeof pem !== "string") throw new Error("an identity");
      return { name, key: parseGivenKey(pem, `${where} (${name})`) };
    });
    if (new Set(named.map(({ name }) => name)).size < named.length) throw new Error("a name twice");
    return { identities: named, relays: readRelays({ relays }) };
  } catch (reason) {
    if (reason instanceof PortholeError && reason.code === "key") throw reason;
    throw damaged(where, "its content can't be read", reason);
  }
}

/** It becomes a file name. */
function isName(name: string): boolean {
  return name === "primary" || /^tunnels\/[a-z0-9][a-z0-9._-]{0,62}$/.test(name);
}

async function sealed(plain: Buffer, passphrase: Secret): Promise<Buffer> {
  const [salt, iv] = [randomBytes(saltBytes), randomBytes(ivBytes)];
  const cipher = createCipheriv("aes-256-gcm", await keyOf(passphrase, salt), iv).setAAD(Buffer.from(form));
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([salt, iv, cipher.getAuthTag(), body]);
}

async function opened(bytes: Buffer, passphrase: Secret, where: string): Promise<Buffer> {
  const begin = saltBytes + ivBytes + tagBytes;
  if (bytes.length < begin) throw damaged(where, "it is too short");
  const [salt, iv] = [bytes.subarray(0, saltBytes), bytes.subarray(saltBytes, saltBytes + ivBytes)];
  const decipher = createDecipheriv("aes-256-gcm", await keyOf(passphrase, salt), iv, { authTagLength: tagBytes })
    .setAAD(Buffer.from(form))
    .setAuthTag(bytes.subarray(saltBytes + ivBytes, begin));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(begin)), decipher.final()]);
  } catch (cause) {
    throw new PortholeError("key", `The passphrase does not open the bundle in ${where}, or the file is damaged`, {
      cause,
    });
  }
}

function keyOf(passphrase: Secret, salt: Buffer): Promise<Buffer> {
  return derive(passphrase.reveal().normalize("NFC"), salt, 32, cost);
}

function armoured(name: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${name}-----\n${lines.join("\n")}\n-----END ${name}-----\n`;
}

function damaged(where: string, what: string, cause?: unknown): PortholeError {
  return new PortholeError("key", `The bundle in ${where} is damaged: ${what}`, {
    hint: "Nothing was changed. Export it again.",
    ...(cause === undefined ? {} : { cause }),
  });
}
