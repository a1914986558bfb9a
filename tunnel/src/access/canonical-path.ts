/** A path in the form that every server understands alike. */
export interface CanonicalPath {
  /** Decoded once. What is let in must match it. */
  readonly plain: string;
  /** The path in the spellings that some servers take for the same: what is kept out must match none of them. */
  readonly spellings: readonly string[];
}

/**
 * Reads the path of a request's target; the query is left out. Undefined for a path that two servers could read differently:
 *
 * - anything but printable ASCII: some split the request line at it, or best-fit it to ASCII
 * - a percent sign without two digits, or an encoding that is not UTF-8
 * - `/`, `\`, `%` and control characters in percent form: one server decodes them, the one behind it does so again
 * - a backslash, which some take for a slash
 * - segments of dots, with blanks or path parameters too: `.`, `..`, `%2e%2e`, `..;x`
 * - two slashes at the beginning, behind which some look for a host
 * - characters that only Unicode's compatibility forms make a slash, a dot or the like
 */
export function canonicalPath(target: string): CanonicalPath | undefined {
  const path = target.split("?", 1)[0] ?? "";
  if (!/^\/(?!\/)[\x21-\x7e]*$/.test(path) || /[\\#]|%(?:[01][\da-f]|7f|5c|2f|25)/i.test(path)) return undefined;
  const plain = decoded(path);
  if (plain === undefined || hasHiddenDelimiters(plain)) return undefined;
  if (plain.split("/").some((segment) => /^[.\s\x85]*\.[.\s\x85]*(?:;|$)/.test(segment))) return undefined;
  // A server that decodes before it looks for the query sees less.
  const beforeQuery = plain.split(/[?#]/, 1)[0] ?? "";
  return { plain, spellings: [...new Set([plain, beforeQuery].map(spellingOf))] };
}

/** Letter case, doubled slashes, path parameters, and what Windows leaves away at the end of a name make no difference to some servers. */
export function spellingOf(path: string): string {
  return (
    path
      .normalize("NFKC")
      // Both: the dotless i and the long s are letters of ASCII in capitals only.
      .toUpperCase()
      .toLowerCase()
      .split("/")
      .map((segment) =>
        (segment.split(";", 1)[0] ?? "").replace(/::\$.*$/s, "").replace(/(?<![.\s\x85])[.\s\x85]+$/, ""),
      )
      .join("/")
      .replace(/\/{2,}/g, "/")
  );
}

/** Undefined where it is not UTF-8. */
export function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

function hasHiddenDelimiters(path: string): boolean {
  // Slashes of mathematics, which Windows' best-fit tables make slashes of.
  if (/[\u2044\u2215\u2216\u29f5\u29f8]/.test(path)) return true;
  const delimiters = (text: string): number => text.length - text.replace(/[/\\.;%?#]/g, "").length;
  return delimiters(path.normalize("NFKC")) !== delimiters(path);
}
