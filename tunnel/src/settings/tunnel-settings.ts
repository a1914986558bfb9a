import * as v from "valibot";

/** Bounds of what a file may say: strangers may have written it. */
const maxChars = 500;
const maxTexts = 50;

export const text = v.pipe(v.string(), v.nonEmpty(), v.maxLength(maxChars));
const texts = v.union([text, v.pipe(v.array(text), v.maxLength(maxTexts))], "a text or a list of texts");
const flag = v.boolean();
const number = v.pipe(v.number(), v.integer());
const duration = v.pipe(
  v.string(),
  v.regex(/^\d{1,10}(\.\d{1,6})?(ms|s|m|h|d)$/, "a time like 500ms, 10s, 5m, 2h or 30d"),
);
const hex = v.pipe(v.string(), v.regex(/^([0-9a-f]{2})+$/i, "hex digits"));

/** How the relay is reached, and the client's own choices. */
export const clientSettings = {
  server: v.optional(texts),
  "server-fingerprint": v.optional(texts),
  insecure: v.optional(flag),
  proxy: v.optional(text),
  "primary-key": v.optional(text),
};

/**
 * The settings of one tunnel, under the names of the command line's options. Secrets stand in files of their own, which the settings
 * ending in `-file` name. Defaults are those of the command line.
 */
export const tunnelSettings = {
  local: v.optional(
    v.union([v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)), text], "a port or a text"),
  ),
  "local-proxy-protocol": v.optional(flag),
  "local-ca": v.optional(text),
  "local-insecure": v.optional(flag),
  mode: v.optional(v.picklist(["auto", "http", "tcp"])),
  headers: v.optional(v.picklist(["auto", "transparent", "localhost"])),
  route: v.optional(texts),
  "domain-suffix": v.optional(text),
  name: v.optional(text),
  transport: v.optional(v.picklist(["auto", "quic", "h2"])),
  "force-h2": v.optional(flag),
  "pool-size": v.optional(v.pipe(number, v.minValue(1), v.maxValue(32))),
  acme: v.optional(flag),
  "acme-email": v.optional(text),
  "acme-creds-path": v.optional(text),
  "acme-staging": v.optional(flag),
  "acme-directory": v.optional(text),
  "cert-pem": v.optional(text),
  "primary-cert-extension-hex": v.optional(hex),
  "secondary-key": v.optional(text),
  "secondary-local": v.optional(text),
  "secondary-cert-extension-hex": v.optional(hex),
  "access-basic-file": v.optional(text),
  "access-bearer-file": v.optional(text),
  "access-share": v.optional(flag),
  "access-webhook": v.optional(text),
  "access-webhook-secret-file": v.optional(text),
  "access-address": v.optional(texts),
  "access-path": v.optional(texts),
  "access-for": v.optional(duration),
  inspect: v.optional(flag),
  redact: v.optional(texts),
};

/** The name of a tunnel, which is also a file name on file systems that take `Web` for `web`. */
export const tunnelName = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, "small letters, digits, dots and hyphens, at most 63"),
);

/** `porthole.toml`: defaults for all tunnels at its top, then the tunnels. */
export const settingsFile = v.strictObject({
  /** Begins the names of the tunnels, so that two projects can both have a `web`. */
  project: v.optional(tunnelName),
  ...clientSettings,
  ...tunnelSettings,
  tunnels: v.optional(v.record(tunnelName, v.strictObject(tunnelSettings))),
});
export type SettingsFile = v.InferOutput<typeof settingsFile>;
