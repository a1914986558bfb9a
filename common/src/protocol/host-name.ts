const maxNameLength = 253;
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** A name whose last label is a number is an IPv4 address to browsers (WHATWG URL, "ends in a number"). */
const number = /^(?:[0-9]+|0x[0-9a-f]*)$/;

/**
 * The one form in which names are compared, registered, routed and certified: lower-case ASCII letters, digits and hyphens,
 * labels of 1 to 63 characters, 253 in all. Undefined for anything else: IP addresses, underscores, a trailing dot
 * (RFC 6066 3 has none), Unicode (which travels as xn--).
 */
export function canonicalHostName(text: string): string | undefined {
  if (text.length === 0 || text.length > maxNameLength) return undefined;
  // Lower case of ASCII only: U+212A (Kelvin) must not become k.
  const name = text.replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase());
  const labels = name.split(".");
  if (!labels.every((part) => label.test(part)) || number.test(labels.at(-1) ?? "")) return undefined;
  return name;
}

/** Client ids are labels too, and nobody may take one as a friendly name. */
const clientIdForm = /^[a-z2-7]{26}$/;

/**
 * A friendly name in its one form, or undefined if the text can't be one: a single label that is no client id, and not one of the
 * forms that stand for something else (RFC 5891 4.2.3.1: hyphens in the third and fourth place, as in xn--).
 */
export function friendlyName(text: string): string | undefined {
  const name = canonicalHostName(`${text}.localhost`)?.slice(0, -".localhost".length);
  if (name === undefined || name.includes(".") || clientIdForm.test(name) || name.slice(2, 4) === "--")
    return undefined;
  return name;
}

/**
 * A public name as its first label, which names the client, and the rest, which must be exactly one of the suffixes
 * (canonical ones; any suffix when there are none). Undefined if it is not such a name.
 */
export function splitPublicName(
  name: string,
  suffixes: readonly string[],
): { readonly label: string; readonly suffix: string } | undefined {
  const canonical = canonicalHostName(name);
  const dot = canonical?.indexOf(".") ?? -1;
  if (canonical === undefined || dot < 0) return undefined;
  const suffix = canonical.slice(dot + 1);
  if (suffixes.length > 0 && !suffixes.includes(suffix)) return undefined;
  return { label: canonical.slice(0, dot), suffix };
}
