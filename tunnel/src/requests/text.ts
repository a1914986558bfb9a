/** Translated text: English with `{0}` for what is filled in, as in l10n/bundle.l10n.json. */
export type Translate = (text: string, ...args: (string | number)[]) => string;

let translate: Translate = (text, ...args) =>
  text.replaceAll(/\{(\d+)\}/g, (whole, index: string) => String(args[Number(index)] ?? whole));

let isEnglish = true;

/** The editor's own translation, from its activation on. Without it text stays English. */
export function useTranslation(by: Translate, { intoEnglish = false } = {}): void {
  translate = by;
  isEnglish = intoEnglish;
}

/** Whether texts are read in another language than the daemon's. */
export function isTranslating(): boolean {
  return !isEnglish;
}

export function t(text: string, ...args: (string | number)[]): string {
  return translate(text, ...args);
}
