import { PortholeError } from "@porthole/common/errors";
import { canonicalPath, decoded, spellingOf } from "./canonical-path.ts";
import { PathPattern } from "./path-pattern.ts";

/** Paths that are exposed. */
export interface PathList {
  /** As the user wrote them. */
  readonly texts: readonly string[];
  /** Whether the list has a request's target, query included. */
  includes(target: string): boolean;
}

/**
 * Reads `/exact`, `/folder/*` (everything below, and the folder itself), `/a/*.json` (`*` stands for anything within one segment), and with `!` before
 * it what is taken out again. Without an entry to let in, everything else is let in. Throws `usage`.
 *
 * A path that two servers could read differently is on no list; what is taken out is taken out in every spelling: see `canonicalPath`.
 */
export function parsePathList(texts: readonly string[]): PathList {
  const inside: PathPattern[] = [];
  const outside: PathPattern[] = [];
  for (const text of texts) {
    const isExcluded = text.startsWith("!");
    const pattern = isExcluded ? text.slice(1) : text;
    if (!isPattern(pattern))
      throw new PortholeError("usage", `"${text}" is not a path to expose`, {
        hint: "Write a path (/hook), everything below one (/webhooks/*), or one of them with ! before it to keep it closed. Without a query.",
      });
    const plain = decoded(pattern) ?? pattern;
    if (!isExcluded) inside.push(new PathPattern(plain));
    else outside.push(...withAndWithoutSlash(spellingOf(plain)).map((spelling) => new PathPattern(spelling)));
  }
  return {
    texts,
    includes(target) {
      const path = canonicalPath(target);
      if (!path) return false;
      if (inside.length > 0 && !inside.some((pattern) => pattern.matches(path.plain))) return false;
      return !outside.some((pattern) => path.spellings.some((spelling) => pattern.matches(spelling)));
    },
  };
}

/** Letters beyond ASCII may stand in it as they are. */
function isPattern(text: string): boolean {
  return !/[?#\s\\]/.test(text) && canonicalPath(text.replace(/[^\x21-\x7e]+/g, encodeURIComponent)) !== undefined;
}

/** Servers take `/secret/` for `/secret`. */
function withAndWithoutSlash(path: string): string[] {
  return path.endsWith("/*") || path.endsWith("/") ? [path] : [path, `${path}/`];
}
