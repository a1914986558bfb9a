import { PortholeError } from "@porthole/common/errors";
import { isClientId, parseFingerprint, type Owner } from "@porthole/common/identity";
import type { Logger } from "@porthole/common/log";
import { readFileIfExists } from "@porthole/common/util";
import { watchFiles } from "../config/watch-files.ts";

export interface AuthorizedKeys {
  isAllowed(key: Owner): boolean;
  /** Also done by itself when the file changes. Never rejects. */
  reread(): Promise<void>;
  close(): void;
}

/**
 * The clients that a file names: one client id or fingerprint a line, `#` begins a comment. Reread on change; `onChange`
 * is called then, so that removed ones can be disconnected. Throws `state` or `usage` at the start; a damaged file later
 * on keeps the old list.
 */
export async function authorizedKeys(path: string, log: Logger, onChange: () => void): Promise<AuthorizedKeys> {
  const stop = new AbortController();
  // Before it is read, so that no change in between is missed.
  void watchFiles([path], stop.signal, reread);
  let allowed: ReadonlySet<string>;
  try {
    allowed = await readAuthorizedKeys(path);
  } catch (reason) {
    stop.abort();
    throw reason;
  }

  async function reread(): Promise<void> {
    try {
      allowed = await readAuthorizedKeys(path);
      log.info({ path, keys: allowed.size }, "Reread the authorized keys");
      onChange();
    } catch (reason) {
      log.error({ path }, `${PortholeError.from(reason).message}; the old list stays in force`);
    }
  }

  return {
    isAllowed: ({ clientId, fingerprint }) => allowed.has(clientId) || allowed.has(fingerprint),
    reread,
    close: () => stop.abort(),
  };
}

/** Throws `state` or `usage`, which names the line. */
export async function readAuthorizedKeys(path: string): Promise<ReadonlySet<string>> {
  const content = await readFileIfExists(path);
  if (!content)
    throw new PortholeError("state", `There is no file ${path} with authorized keys`, {
      hint: "Make it, with a client id or fingerprint a line: porthole identity show prints them. It may be empty.",
    });
  return parseAuthorizedKeys(content.toString("utf8"), path);
}

/** Reads a client id or fingerprint from each line; `#` begins a comment. Throws `usage` that names `path` and the line. */
export function parseAuthorizedKeys(content: string, path: string): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const [index, line] of content.split("\n").entries()) {
    const text = line.replace(/#.*/, "").trim();
    if (text === "") continue;
    try {
      keys.add(parseKey(text));
    } catch (reason) {
      const { message, hint } = PortholeError.from(reason);
      throw new PortholeError("usage", `${path}, line ${index + 1}: ${message}`, hint === undefined ? {} : { hint });
    }
  }
  return keys;
}

/** A client id or a fingerprint as people write them, in our form. Throws `usage`. */
export function parseKey(text: string): string {
  const lower = text.trim().toLowerCase();
  if (isClientId(lower)) return lower;
  try {
    return parseFingerprint(lower);
  } catch (cause) {
    throw new PortholeError("usage", `${JSON.stringify(text.slice(0, 100))} is no client id and no fingerprint`, {
      cause,
      hint: "A client id has 26 characters from a-z and 2-7, a fingerprint 52, or 64 hex digits.",
    });
  }
}
