/** Returns text of relays and visitors for Markdown: as text on one line, never as markup. */
export function plain(text: string): string {
  return text.replaceAll(/[\\`*_{}[\]()#+!|<>$&~]/g, "\\$&").replaceAll(/\s+/g, " ");
}
