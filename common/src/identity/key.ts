import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { PortholeError } from "../errors.ts";
import { silentLogger, type Logger } from "../log.ts";
import type { Secret } from "../util/secret.ts";
import { createFileAtomic, errnoOf, stateError } from "../util/state-file.ts";
import { clientIdOf, fingerprint } from "./client-id.ts";
import { kindOf, spkiOf } from "./key-kind.ts";
import type { PublicIdentity } from "./public-key.ts";

const maxKeyFileBytes = 64 * 1024;

/** A key pair with everything that is computed from it. Prints itself without the private half. */
export interface IdentityKey extends PublicIdentity {
  readonly privateKey: KeyObject;
  /** The private key, PKCS#8. Not enumerable, so a copy by spreading lacks it. */
  readonly pem: string;
}

/** A new ECDSA P-256 key. */
export function generateKey(): IdentityKey {
  return identityKey(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey, "memory");
}

/**
 * The first private key of a PEM text (PKCS#8, SEC1 or PKCS#1; encrypted ones with their passphrase). `where` names its
 * source in errors: `key` for a key that can't serve, `state` for what is damaged.
 */
export function parseKey(pem: string, where: string, passphrase?: Secret): IdentityKey {
  const { block, isEncrypted } = privateKeyBlock(pem, where);
  if (isEncrypted && passphrase === undefined)
    throw new PortholeError("key", `The key in ${where} is encrypted with a passphrase`, {
      hint: "Porthole runs without anyone at the keyboard. Decrypt it: openssl pkey -in OLD -out NEW",
    });
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey({
      key: block,
      format: "pem",
      ...(isEncrypted ? { passphrase: passphrase?.reveal() } : {}),
    });
  } catch (reason) {
    if (isEncrypted)
      throw new PortholeError("key", `The passphrase does not open the key in ${where}`, { cause: reason });
    throw damaged(where, "its private key can't be decoded", reason);
  }
  return identityKey(privateKey, where);
}

/** As `parseKey`, of a text that somebody brings along: nothing of ours is damaged then. Throws `key`. */
export function parseGivenKey(pem: string, where: string, passphrase?: Secret): IdentityKey {
  try {
    return parseKey(pem, where, passphrase);
  } catch (reason) {
    if (!(reason instanceof PortholeError) || reason.code !== "state") throw reason;
    const hint = "Nothing was changed. Give a private key in PEM form (PKCS#8, SEC1 or PKCS#1).";
    throw new PortholeError("key", reason.message, { hint, cause: reason });
  }
}

/** The private key as PKCS#8 PEM, encrypted with the passphrase (PBES2, AES-256). */
export function encryptKey(key: IdentityKey, passphrase: Secret): string {
  const cipher = { cipher: "aes-256-cbc", passphrase: passphrase.reveal() };
  return key.privateKey.export({ type: "pkcs8", format: "pem", ...cipher }).toString();
}

/**
 * The key in the file; made if the file is missing, and then the same one for all processes that try at once.
 * A file that can't be read or used is an error, never a reason to make another identity.
 */
export async function loadOrCreateKey(
  path: string,
  { logger = silentLogger }: { readonly logger?: Logger } = {},
): Promise<IdentityKey> {
  const existing = await readKeyFile(path, logger);
  if (existing !== undefined) return parseKey(existing, path);
  const key = generateKey();
  if (await createFileAtomic(path, key.pem)) return key;
  return parseKey(await readOther(path, logger), path);
}

function identityKey(privateKey: KeyObject, where: string): IdentityKey {
  const kind = kindOf(privateKey, where);
  const publicKey = createPublicKey(privateKey);
  const spki = spkiOf(publicKey, kind, where);
  const print = fingerprint(spki);
  const key = { privateKey, publicKey, kind, spki, clientId: clientIdOf(print), fingerprint: print };
  // Not enumerable: console.log, JSON.stringify and serializers of loggers pass it by.
  return Object.defineProperty(key, "pem", {
    value: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    enumerable: false,
  }) as IdentityKey;
}

interface KeyBlock {
  readonly block: string;
  readonly isEncrypted: boolean;
}

function privateKeyBlock(pem: string, where: string): KeyBlock {
  const labels = [...pem.matchAll(/-----BEGIN ([A-Z0-9 ]{1,40})-----/g)].map((match) => match[1]);
  const label = labels.find((text) => text?.endsWith("PRIVATE KEY"));
  if (label === undefined) throw noPrivateKey(pem, labels, where);
  const start = pem.indexOf(`-----BEGIN ${label}-----`);
  const endMark = `-----END ${label}-----`;
  const end = pem.indexOf(endMark, start);
  if (end < 0) throw damaged(where, "the end of its private key is missing");
  const block = pem.slice(start, end + endMark.length);
  if (label === "OPENSSH PRIVATE KEY")
    throw new PortholeError("key", `The key in ${where} is in OpenSSH's own format`, {
      hint: "Convert a copy of it: ssh-keygen -p -m PKCS8 -f COPY",
    });
  return { block, isEncrypted: label === "ENCRYPTED PRIVATE KEY" || /^Proc-Type:.*ENCRYPTED/m.test(block) };
}

function noPrivateKey(pem: string, labels: readonly (string | undefined)[], where: string): PortholeError {
  const other = labels.find((text) => text?.includes("CERTIFICATE")) ?? labels.find((text) => text?.includes("PUBLIC"));
  if (other !== undefined)
    return new PortholeError("key", `${where} holds a ${other.toLowerCase()}, not a private key`, {
      hint: "Name the file with the private key that belongs to it.",
    });
  return damaged(where, pem.trim() === "" ? "it is empty" : "there is no private key in PEM form in it");
}

function damaged(where: string, what: string, cause?: unknown): PortholeError {
  return new PortholeError("state", `The key in ${where} is damaged: ${what}`, {
    hint: "Restore it from a backup to keep the public name, or move it away: Porthole then makes a new key, with a new name.",
    ...(cause !== undefined && { cause }),
  });
}

async function readKeyFile(path: string, logger: Logger): Promise<string | undefined> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    const { size, mode } = await file.stat();
    if (size > maxKeyFileBytes) throw damaged(path, `it has ${size} bytes`);
    if (process.platform !== "win32" && (mode & 0o077) !== 0)
      logger.warn(
        { path, mode: (mode & 0o777).toString(8) },
        `Other users of this machine can read ${path}; chmod 600 it`,
      );
    return await file.readFile("latin1");
  } catch (reason) {
    if (file === undefined && errnoOf(reason) === "ENOENT") return undefined;
    throw stateError("read", path, reason);
  } finally {
    await file?.close();
  }
}

/** Reads the key that another process wrote at the same time. Waits a moment where the file system has no links. */
async function readOther(path: string, logger: Logger): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const content = await readKeyFile(path, logger);
    if (content === undefined) throw stateError("read", path, Object.assign(new Error(), { code: "ENOENT" }));
    if (content.includes("-----END ") || attempt === 20) return content;
    await pause(50);
  }
}
