import { parse } from "smol-toml";

/**
 * Returns the line where the key at the end of the path stands, from 1; that of the nearest table above it when it is not there.
 * The parser tells no places: this is the first line after which the text, read alone, has the key.
 */
export function lineOf(text: string, path: readonly string[]): number {
  const lines = text.split("\n");
  for (let depth = path.length; depth > 0; depth--) {
    let begun = 1;
    for (let count = 1; count <= lines.length; count++) {
      const part = parsed(lines.slice(0, count).join("\n"));
      if (part === undefined) continue;
      if (has(part, path.slice(0, depth))) return begun;
      begun = count + 1;
    }
  }
  return 1;
}

/** Undefined inside a value of several lines. */
function parsed(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

function has(data: unknown, path: readonly string[]): boolean {
  let at: unknown = data;
  for (const key of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return false;
    at = (at as Record<string, unknown>)[key];
  }
  return true;
}
