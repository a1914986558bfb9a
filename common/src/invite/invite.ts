import { PortholeError } from "../errors.ts";
import { parseFingerprint } from "../identity/index.ts";
import { formatHostPort, hostPort, type HostPort } from "../options/index.ts";
import { defaultApiPort, parseDirectoryUrl } from "../protocol/index.ts";
import { Secret } from "../util/index.ts";

/** An invite lets a client join a relay: its address, its fingerprint, and the one-time token that enrols the client's key. */
export interface Invite {
  readonly relay: HostPort;
  /** Fingerprint of the relay's key; undefined when its certificate is from a public CA. */
  readonly pin: string | undefined;
  readonly token: Secret;
  /** Directory of the certificate authority that the relay's clients order from; Let's Encrypt when absent. */
  readonly certificateDirectory?: string | undefined;
}

/** Forks of the editor have schemes of their own, and the same extension id. */
const linkForm = /^(?:porthole:\/\/join|[a-z][a-z0-9+.-]*:\/\/porthole\.porthole\/join)\/?\?(.*)$/i;
/** The relay's page for all editors. The invite is behind the `#`, so that browsers send it to nobody. */
const pageForm = /^https:\/\/[^/?#\s]+\/join\/?#(.*)$/i;
const maxLength = 2_000;
const tokenForm = /^[\w.~-]{1,200}$/;
const readRelay = hostPort(defaultApiPort);

/**
 * Reads `porthole://join?relay=HOST[:PORT]&pin=FINGERPRINT&ca=DIRECTORY&token=TOKEN` and the same as an editor's link
 * (`vscode://porthole.porthole/join?...`) or of the relay's page (`https://relay.example.com/join#...`). Unknown parameters are ignored. Throws `usage`, and never repeats the token.
 */
export function parseInvite(text: string): Invite {
  const trimmed = text.trim();
  const query = trimmed.length <= maxLength ? (linkForm.exec(trimmed) ?? pageForm.exec(trimmed))?.[1] : undefined;
  if (query === undefined)
    throw notAnInvite(
      "it has another form",
      "An invite begins with porthole://join?, vscode://porthole.porthole/join? or https:// and has /join# in it.",
    );
  const parameters = new URLSearchParams(query);
  const relay = attempt("relay", one(parameters, "relay"), (value) => readRelay.parse(value));
  if (!relay) throw notAnInvite("it names no relay");
  const token = one(parameters, "token");
  if (token === undefined || !tokenForm.test(token)) throw notAnInvite("its token is missing or cut off");
  return {
    relay,
    pin: attempt("pin", one(parameters, "pin"), parseFingerprint),
    token: new Secret(token),
    certificateDirectory: attempt("ca", one(parameters, "ca"), readDirectory),
  };
}

/** The link as people pass it on: it contains the token. `page` is the address of the relay's page for all editors. */
export function formatInvite(
  { relay, pin, token, certificateDirectory }: Invite,
  form: "porthole" | "vscode" | { readonly page: string },
): string {
  const start =
    typeof form === "object"
      ? `${form.page}#`
      : `${form === "porthole" ? "porthole://" : "vscode://porthole.porthole/"}join?`;
  const parameters = [
    // A colon may stand in a query as it is (RFC 3986 3.4), brackets may not.
    `relay=${encodeURIComponent(formatHostPort(relay)).replaceAll("%3A", ":")}`,
    ...(pin === undefined ? [] : [`pin=${pin}`]),
    ...(certificateDirectory === undefined ? [] : [`ca=${encodeURIComponent(certificateDirectory)}`]),
    `token=${token.reveal()}`,
  ];
  return `${start}${parameters.join("&")}`;
}

function one(parameters: URLSearchParams, name: string): string | undefined {
  const values = parameters.getAll(name);
  if (values.length > 1) throw notAnInvite(`it has ${name} twice`);
  return values[0] === "" ? undefined : values[0];
}

function readDirectory(value: string): string {
  const url = parseDirectoryUrl(value);
  if (url === undefined) throw new PortholeError("usage", `${JSON.stringify(value.slice(0, 100))} is not an https URL`);
  return url;
}

function attempt<T>(name: string, value: string | undefined, parse: (value: string) => T): T | undefined {
  if (value === undefined) return undefined;
  try {
    return parse(value);
  } catch (reason) {
    throw notAnInvite(`${name}: ${PortholeError.from(reason).message}`);
  }
}

function notAnInvite(why: string, hint = "Copy the whole link again, or ask for a new invite."): PortholeError {
  return new PortholeError("usage", `This is not an invite of a Porthole relay: ${why}`, { hint });
}
