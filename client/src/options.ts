import {
  acmeOptions,
  choice,
  defineOptions,
  durationMs,
  flag,
  friendlyLabel,
  hex,
  hostPort,
  integer,
  path,
  text,
  type OptionValues,
  type Parser,
} from "@porthole/common/options";
import { certificateFile } from "./certificate-file.ts";
import { proxyOption } from "@porthole/tunnel/dialers";
import { parseFingerprint } from "@porthole/common/identity";
import { defaultApiPort } from "@porthole/common/protocol";
import { gatewayModes, headerModes, localService, route } from "@porthole/tunnel/gateway";
import { parseAddressList, parsePathList, parseWebhookScheme } from "@porthole/tunnel/access";

/** The options of a run, for every command that exposes something. */
export const runOptions = defineOptions({
  detach: { help: "Run in the background; print the URL once it is online", parse: flag },
  "url-file": { help: "File that has the URL while the tunnel is online", parse: path, advanced: true },
  "wait-for-url": {
    help: "For --detach and --url-file: wait for a trusted certificate, too",
    parse: flag,
    advanced: true,
  },
  "state-dir": {
    help: "Folder for everything that is written",
    parse: path,
    defaultHelp: "the platform's data folder",
  },
  "quic-engine": {
    help: "Which QUIC engine to use; auto takes the native one where it loads",
    parse: choice("auto", "native", "quiche"),
    default: "auto",
    advanced: true,
  },
  qr: { help: "Show the URL as a QR code", parse: flag },
  json: { help: "One JSON object a line", parse: flag },
});

/** Every option of the client, once: flags, environment variables, help and documentation come from here. */
export const clientOptions = defineOptions({
  server: {
    help: "Relay to connect to; several are used in parallel",
    parse: hostPort(defaultApiPort),
    repeatable: true,
    defaultHelp: "those that were joined",
  },
  local: {
    help: "Local service: a port, host:port, a URL (http, https, h2c, tcp) or unix:/PATH",
    parse: localService,
    default: "localhost:3000",
  },
  "local-proxy-protocol": {
    help: "Send the visitor's address to the service (PROXY protocol v2)",
    parse: flag,
    advanced: true,
  },
  "local-ca": {
    help: "CA certificates for local https services, besides the public ones",
    parse: certificateFile,
    advanced: true,
  },
  "local-insecure": { help: "Accept any certificate of a local https service", parse: flag, advanced: true },
  mode: {
    help: "Read HTTP, carry bytes only, or decide by the first bytes",
    parse: choice(...gatewayModes),
    default: "auto",
    advanced: true,
  },
  headers: {
    help: "Host name that the service sees; auto tries the public one first",
    parse: choice(...headerModes),
    default: "auto",
  },
  route: { help: "Another service for a path of the same name: /api=4000", parse: route, repeatable: true },
  proxy: proxyOption,
  "domain-suffix": {
    help: "Suffix of the public name",
    parse: text,
    placeholder: "DOMAIN",
    defaultHelp: "what the relay offers",
    advanced: true,
  },
  name: { help: "Friendly name instead of the client id, if the relay grants it", parse: friendlyLabel },
  "primary-key": {
    help: "Key file, made if missing",
    parse: path,
    defaultHelp: "in the state folder",
    advanced: true,
  },
  transport: { help: "How to reach the relay", parse: choice("auto", "quic", "h2"), default: "auto" },
  "force-h2": { help: "Short for --transport h2", parse: flag, advanced: true },
  "pool-size": {
    help: "HTTP/2 connections when they carry the traffic",
    parse: integer(1, 32),
    default: "4",
    advanced: true,
  },
  "server-fingerprint": {
    help: "Trust exactly this relay key; one for all servers, or one for each",
    parse: { placeholder: "FINGERPRINT", parse: parseFingerprint },
    repeatable: true,
  },
  insecure: { help: "Trust any relay: others on the path can pose as it", parse: flag, advanced: true },
  acme: {
    help: "Ask a certificate authority for the public name's certificate",
    parse: flag,
    default: "true",
    advanced: true,
  },
  ...acmeOptions("acme_creds.json"),
  "cert-pem": {
    help: "Where the primary certificate is kept",
    parse: path,
    defaultHelp: "in the state folder",
    advanced: true,
  },
  "primary-cert-extension-hex": { help: "Custom bytes in the primary certificate", parse: hex, advanced: true },
  "secondary-key": { help: "Turns on a second endpoint with this key, made if missing", parse: path, advanced: true },
  "secondary-local": { help: "Turns on a second endpoint for this service", parse: localService },
  "secondary-cert-extension-hex": { help: "Custom bytes in the secondary certificate", parse: hex, advanced: true },
  "access-basic": {
    help: "Let in who has a user name and password; one user:password a line",
    parse: text,
    secret: true,
  },
  "access-bearer": { help: "Let in who has a bearer token; one a line", parse: text, secret: true },
  "access-share": { help: "Let in who has a link from porthole share", parse: flag },
  "access-webhook": {
    help: "Let in webhooks with a sender's signature: stripe, github, gitlab, shopify, slack, standard, hmac:HEADER",
    parse: checkedText("SCHEME", parseWebhookScheme),
  },
  "access-webhook-secret": { help: "The sender's secret; one a line", parse: text, secret: true },
  "access-address": {
    help: "Only these addresses and networks; with ! before it: not these",
    parse: checkedText("NETWORK", (value) => parseAddressList([value])),
    repeatable: true,
    advanced: true,
  },
  "access-path": {
    help: "Only these paths (/webhooks/*); with ! before it: not these",
    parse: checkedText("PATH", (value) => parsePathList([value])),
    repeatable: true,
    advanced: true,
  },
  "access-for": { help: "How long, from the start", parse: durationMs, defaultHelp: "until it is stopped" },
  inspect: { help: "Keep requests in memory, for porthole inspect", parse: flag, default: "true" },
  redact: {
    help: "A header, field or parameter that porthole inspect hides, besides passwords, tokens and cookies",
    parse: text,
    placeholder: "NAME",
    repeatable: true,
    advanced: true,
  },
  ...runOptions,
});

export type ClientValues = OptionValues<typeof clientOptions>;

/** A text that stays one and is checked here, where the error can name the flag. */
function checkedText(placeholder: string, check: (text: string) => unknown): Parser<string> {
  return {
    placeholder,
    parse(text) {
      check(text);
      return text;
    },
  };
}
