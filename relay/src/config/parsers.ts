import { PortholeError } from "@porthole/common/errors";
import type { Parser } from "@porthole/common/options";

const units: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** `0`, `1500000`, `10MB`, `1.5GiB`: bytes. */
export const byteCount: Parser<number> = {
  placeholder: "BYTES",
  parse(value) {
    const match = /^(\d{1,12}(?:\.\d{1,6})?)\s?((?:[kMGT]|[KMGT]i)?)B?$/.exec(value);
    const unit = units[match?.[2] ?? ""];
    const bytes = match && unit !== undefined ? Math.round(Number(match[1]) * unit) : undefined;
    if (bytes !== undefined && Number.isSafeInteger(bytes)) return bytes;
    throw new PortholeError(
      "usage",
      `expected bytes like 500MB, 10GB or 1TiB, got ${JSON.stringify(value.slice(0, 100))}`,
    );
  },
};

/** A mail address, or an https URL, in the form that RFC 9116 asks for: a URI. */
export const abuseContact: Parser<string> = {
  placeholder: "ADDRESS",
  parse(value) {
    if (/^[^\s@<>"]{1,64}@[a-zA-Z0-9.-]{1,253}$/.test(value)) return `mailto:${value}`;
    if (/^mailto:[^\s<>"]{3,320}$/.test(value)) return value;
    if (URL.canParse(value) && new URL(value).protocol === "https:" && value.length <= 2_000)
      return new URL(value).href;
    throw new PortholeError(
      "usage",
      `expected a mail address or an https URL, got ${JSON.stringify(value.slice(0, 100))}`,
    );
  },
};
