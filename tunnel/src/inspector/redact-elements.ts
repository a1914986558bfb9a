import { redactedMark } from "./redacted-mark.ts";

/** XML with the text of elements that have a secret name, whatever their namespace, replaced by the mark. */
export function redactElements(text: string, isSecret: (name: string) => boolean): string {
  return text.replace(
    /<((?:[\w.-]{1,100}:)?([\w.-]{1,100}))((?:\s[^<>]*)?)>([^<]+)/g,
    (whole, name: string, local: string, rest: string) =>
      isSecret(local) && !rest.endsWith("/") ? `<${name}${rest}>${redactedMark}` : whole,
  );
}
