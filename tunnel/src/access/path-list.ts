import { PortholeError } from "@porthole/common/errors";

/** Paths that are exposed. */
export interface PathList {
  /** As the user wrote them. */
  readonly texts: readonly string[];
  /** Of a request's target, query included. */
  includes(target: string): boolean;
}

/**
 * Reads `/exact`, `/folder/*` (everything below, and the folder itself), `/a/*.json` (`*` stands for anything within one segment), and with `!` before
 * it what is taken out again. Without an entry to let in, everything else is let in. Throws `usage`.
 *
 * Servers disagree about what a path means, so a path that two of them could read differently (dot segments, encoded slashes, backslashes) is on no
 * list; and what is taken out is taken out in every spelling (letter case, percent-encoding, doubled slashes, path parameters).
 */
export function parsePathList(texts: readonly string[]): PathList {
  const inside: RegExp[] = [];
  const outside: RegExp[] = [];
  for (const text of texts) {
    const isExcluded = text.startsWith("!");
    const pattern = isExcluded ? text.slice(1) : text;
    if (!/^\/[^?#\s\\]*$/.test(pattern) || isAmbiguous(pattern))
      throw new PortholeError("usage", `"${text}" is not a path to expose`, {
        hint: "Write a path (/hook), everything below one (/webhooks/*), or one of them with ! before it to keep it closed. Without a query.",
      });
    if (isExcluded) outside.push(toRegExp(spellingOf(decoded(pattern) ?? pattern), "i"));
    else inside.push(toRegExp(decoded(pattern) ?? pattern, ""));
  }
  return {
    texts,
    includes(target) {
      const path = target.split(/[?#]/, 1)[0] ?? "";
      if (!path.startsWith("/") || isAmbiguous(path)) return false;
      const plain = decoded(path);
      if (plain === undefined) return false;
      if (inside.length > 0 && !inside.some((pattern) => pattern.test(plain))) return false;
      return !outside.some((pattern) => pattern.test(spellingOf(plain)));
    },
  };
}

function isAmbiguous(path: string): boolean {
  return (
    // Encoded twice it means one thing to a server and another to a proxy behind it.
    /\\|%5c|%2f|%25|%00/i.test(path) ||
    path.split("/").some((segment) => /^\.{1,2}(;|$)/.test(segment.replace(/%2e/gi, ".").replace(/%3b/gi, ";")))
  );
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

function spellingOf(path: string): string {
  return path.replace(/;[^/]*/g, "").replace(/\/{2,}/g, "/");
}

function toRegExp(pattern: string, flags: string): RegExp {
  const below = pattern.endsWith("/*");
  const source = (below ? pattern.slice(0, -2) : pattern)
    .split("*")
    .map((part) => part.replace(/[.+^${}()|[\]\\?]/g, "\\$&"))
    .join("[^/]*");
  return new RegExp(`^${source}${below ? "(?:/.*)?" : flags === "i" ? "/?" : ""}$`, `s${flags}`);
}
