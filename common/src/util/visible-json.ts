export interface VisibleJsonOptions {
  readonly indent?: number;
  readonly replacer?: (key: string, value: unknown) => unknown;
}

/** Nothing to replace. Tabs and line feeds stand between values only. */
const plain = /^[\t\n\x20-\x7e]*$/;

/** JSON without characters that move a cursor or turn the direction of writing: safe to show in a terminal, and equal to the original when parsed. */
export function visibleJson(value: unknown, { indent, replacer }: VisibleJsonOptions = {}): string {
  const json = JSON.stringify(value, replacer, indent);
  return plain.test(json)
    ? json
    : json.replace(/[\p{Cf}\p{Zl}\p{Zp}\x7f-\x9f]/gu, (char) =>
        Array.from(
          { length: char.length },
          (_, index) => `\\u${char.charCodeAt(index).toString(16).padStart(4, "0")}`,
        ).join(""),
      );
}
