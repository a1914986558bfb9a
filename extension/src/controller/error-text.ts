import { translated } from "@porthole/tunnel/requests";
import type { RpcErrorData } from "@porthole/tunnel/rpc";

/** A setting that the library names (`{state-dir}`), or an option in a text of the relay. */
const namesOption = /\{[a-z-]+\}|(?:^|[\s(`])--[a-z]/;

/**
 * Returns the text without the sentences and parentheses that name an option, which does not exist in the editor. Returns the whole
 * text when nothing else would be left.
 */
export function withoutFlags(text: string): string {
  const kept = text.split(/(?<=[.!?])\s+|\s+(?=\()/).filter((sentence) => !namesOption.test(sentence));
  return kept.length > 0 ? kept.join(" ") : text;
}

/** Returns what to do next, or undefined when the hint is only about the command line. */
export function hintText(hint: string | undefined): string | undefined {
  const text = hint === undefined ? "" : withoutFlags(hint);
  return text === "" || namesOption.test(text) ? undefined : translated(text);
}

/** Returns what failed and what to do next, as one text for a message. */
export function errorText({ message, hint }: Pick<RpcErrorData, "message"> & { readonly hint?: string | undefined }) {
  const [what, next] = [translated(withoutFlags(message)), hintText(hint)];
  return next === undefined ? what : `${what.replace(/\.$/, "")}. ${next}`;
}
