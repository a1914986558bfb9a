import { PortholeError } from "@porthole/common/errors";
import { translated } from "@porthole/tunnel/requests";
import { isRemote, type RpcErrorData } from "@porthole/tunnel/rpc";
import { isTranslating } from "../text.ts";
import { meaningOf } from "./error-meaning.ts";

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

/**
 * Returns what failed and what to do next, as one text for a message. What the daemon says and nobody has translated comes after what
 * its code means.
 */
export function errorText(
  error: Pick<RpcErrorData, "message"> & { readonly code?: string; readonly hint?: string | undefined },
) {
  const { message, hint, code } = error;
  const plain = withoutFlags(message);
  const isEnglish = isTranslating() && (!(error instanceof PortholeError) || isRemote(error));
  const meaning = isEnglish && code !== undefined && translated(plain) === plain ? meaningOf(code) : undefined;
  const what = meaning === undefined ? translated(plain) : `${meaning} (${plain.replace(/\.$/, "")})`;
  const next = meaning === undefined ? hintText(hint) : undefined;
  return next === undefined ? what : `${what.replace(/\.$/, "")}. ${next}`;
}
