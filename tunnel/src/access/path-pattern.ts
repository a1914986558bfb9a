/** A path in which `*` stands for anything within one segment, and a last `/*` for everything below. */
export class PathPattern {
  readonly #segments: readonly (readonly string[])[];
  readonly #below: boolean;

  constructor(text: string) {
    this.#below = text.endsWith("/*");
    const path = this.#below ? text.slice(0, -2) : text;
    this.#segments = path.split("/").map((segment) => segment.split("*"));
  }

  /** Takes time that grows with the path and the pattern, not with their product's powers as a regular expression's would. */
  matches(path: string): boolean {
    const segments = path.split("/");
    if (this.#below ? segments.length < this.#segments.length : segments.length !== this.#segments.length) return false;
    return this.#segments.every((parts, index) => matchesSegment(segments[index] ?? "", parts));
  }
}

/** `parts`: what stands between the stars. Each is looked for where the one before it ends, the last one at the end. */
function matchesSegment(segment: string, parts: readonly string[]): boolean {
  const [first = "", ...others] = parts;
  const last = others.pop();
  if (last === undefined) return segment === first;
  if (!segment.startsWith(first) || !segment.endsWith(last)) return false;
  let position = first.length;
  for (const part of others) {
    const found = segment.indexOf(part, position);
    if (found < 0) return false;
    position = found + part.length;
  }
  return position <= segment.length - last.length;
}
