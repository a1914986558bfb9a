export interface VisibleJsonOptions {
  readonly indent?: number;
  readonly replacer?: (key: string, value: unknown) => unknown;
}

/** JSON without characters that move a cursor or turn the direction of writing: safe to show in a terminal, and equal to the original when parsed. */
export function visibleJson(value: unknown, { indent, replacer }: VisibleJsonOptions = {}): string {
  return JSON.stringify(value, replacer, indent).replace(/[\p{Cf}\p{Zl}\p{Zp}\x7f-\x9f]/gu, (char) =>
    Array.from(
      { length: char.length },
      (_, index) => `\\u${char.charCodeAt(index).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}
