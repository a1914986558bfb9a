import type { RawHeaders } from "../http/index.ts";
import { redactFields } from "./redact-fields.ts";
import { redactElements } from "./redact-elements.ts";
import { redactJson, redactLooseJson } from "./redact-json.ts";
import { redactedMark } from "./redacted-mark.ts";
import type { BodyView, Header } from "./views.ts";

/** Headers whose values are credentials in every request. */
const alwaysHeaders = ["authorization", "proxy-authorization", "cookie", "set-cookie"];

/** Names of headers, JSON and form fields and query parameters, in any of the usual spellings. */
const alwaysNames = [
  "password",
  "passwd",
  "passphrase",
  "secret",
  "client_secret",
  "token",
  "access_token",
  "refresh_token",
  "id_token",
  "auth_token",
  "session_token",
  "api_key",
  "x_api_key",
  "private_key",
  "porthole_share",
];

/**
 * Takes values out by the name they stand under: in headers, query parameters, JSON and forms. What surrounds them stays as it is, byte for byte.
 * A name counts in every spelling: `accessToken`, `access_token`, `Access-Token`.
 */
export class Redactor {
  readonly #names: ReadonlySet<string>;

  /** `names` besides those that are always taken out. */
  constructor(names: readonly string[] = []) {
    this.#names = new Set([...alwaysHeaders, ...alwaysNames, ...names].map(spelling));
  }

  headers(headers: RawHeaders): Header[] {
    const result: Header[] = [];
    for (let index = 0; index + 1 < headers.length; index += 2) {
      const name = headers[index] ?? "";
      const recorded = headers[index + 1] ?? "";
      const value = this.#header(name, recorded);
      result.push(value === recorded ? { name, value } : { name, value, redacted: true });
    }
    return result;
  }

  /** Path and query. */
  target(target: string): string {
    return this.#parameters(target);
  }

  /** A whole body, or what is there of it. */
  body(text: string, format: BodyView["format"], contentType: string): string {
    switch (format) {
      case "json":
        return redactJson(text, this.isSecret);
      case "form":
      case "multipart":
        return redactFields(text, contentType, this.isSecret);
      default:
        return this.text(text);
    }
  }

  /** A message of a WebSocket, an event stream, a page, or any text that may have JSON, XML or parameters in it. */
  text(text: string): string {
    if (/^\s*(?:\d+\s*)?[{[]/.test(text)) return this.#parameters(redactJson(text, this.isSecret));
    // A quote that nobody closes, in prose or a script, reaches to the end of its line at most.
    const lines = text.split("\n").map((line) => redactLooseJson(redactJson(line, this.isSecret), this.isSecret));
    return this.#parameters(redactElements(lines.join("\n"), this.isSecret));
  }

  readonly isSecret = (name: string): boolean => this.#names.has(spelling(name));

  #header(name: string, value: string): string {
    if (!this.isSecret(name)) return this.#parameters(value);
    switch (name.toLowerCase()) {
      case "authorization":
      case "proxy-authorization":
        return value.replace(/^(\s*[A-Za-z][\w-]*\s+)?.*$/s, `$1${redactedMark}`);
      case "cookie":
        return value.split(";").map(withoutValue).join(";");
      case "set-cookie":
        return value.replace(/^([^;=]*=)?[^;]*/, `$1${redactedMark}`);
      default:
        return redactedMark;
    }
  }

  /** Redacts the parameters of anything that has a URL in it: a target, Location, Referer, Link. */
  #parameters(text: string): string {
    const parameter = /(?:^|[?&;\s])([^=&;#\s"'<>?]+)=/g;
    let result = "";
    let copied = 0;
    for (let match = parameter.exec(text); match; match = parameter.exec(text)) {
      // The value of a harmless one may be a URL with parameters of its own: the search continues in it.
      if (!this.isSecret(decoded(match[1] ?? ""))) continue;
      const start = parameter.lastIndex;
      const valueEnd = /[&#\s"<>]|$/g;
      valueEnd.lastIndex = start;
      const end = valueEnd.exec(text)?.index ?? text.length;
      if (end === start) continue;
      result += text.slice(copied, start) + redactedMark;
      copied = end;
      parameter.lastIndex = copied;
    }
    return copied === 0 ? text : result + text.slice(copied);
  }
}

/** Removes the value of one cookie: what stands before its first `=` is kept. A regular expression over all of them would be quadratic. */
function withoutValue(pair: string): string {
  const equals = pair.indexOf("=");
  return pair.slice(0, Math.max(0, equals)).trim() === "" ? pair : `${pair.slice(0, equals)}=${redactedMark}`;
}

function spelling(name: string): string {
  return name.toLowerCase().replace(/[-_. ]/g, "");
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll("+", " "));
  } catch {
    return name;
  }
}
