export interface VisibleJsonOptions {
  readonly indent?: number;
  readonly replacer?: (key: string, value: unknown) => unknown;
}

/** JSON of which nothing moves a cursor or turns the direction of writing: it may be shown in a terminal, and stays the same JSON. */
export function visibleJson(value: unknown, { indent, replacer }: VisibleJsonOptions = {}): string {
  return JSON.stringify(value, replacer, indent).replace(/[\p{Cf}\p{Zl}\p{Zp}\x7f-\x9f]/gu, (char) =>
    Array.from(
      { length: char.length },
      (_, index) => `\\u${char.charCodeAt(index).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}
