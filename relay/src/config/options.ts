import {
  acmeOptions,
  choice,
  defineOptions,
  durationMs,
  flag,
  integer,
  path,
  port,
  text,
} from "@porthole/common/options";
import { earlyDrop } from "../limits/index.ts";
import { abuseContact, byteCount } from "./parsers.ts";

const count = integer(0, 1_000_000);

/** Every option of the relay, once: flags, environment variables, help and documentation come from here. */
export const relayOptions = defineOptions({
  config: {
    help: "TOML file with settings; flags and environment variables override it",
    parse: path,
    defaultHelp: "relay.toml in the state folder, if it is there",
  },
  "bind-addr": {
    help: "Address of all listening ports",
    parse: text,
    placeholder: "ADDRESS",
    defaultHelp: "0.0.0.0 with a public name, else 127.0.0.1",
  },
  "api-port": {
    help: "Clients: QUIC on UDP, HTTP/2 on TCP; all three ports may be the same",
    parse: port,
    default: "4433",
  },
  "pub-port": { help: "Visitors: TLS, routed by name", parse: port, default: "8443" },
  "alpn-port": {
    help: "TLS-ALPN-01 challenges; opened only with a public name",
    parse: port,
    default: "443",
    advanced: true,
  },
  "http-port": {
    help: "Port that redirects plain HTTP to HTTPS, usually 80",
    parse: port,
    defaultHelp: "not opened",
  },
  "domain-suffix": {
    help: "Suffix of public names; several are allowed",
    parse: text,
    placeholder: "DOMAIN",
    repeatable: true,
    defaultHelp: "any, for development on this machine",
  },
  "tls-cert": { help: "Certificate chain for the API port, PEM", parse: path, defaultHelp: "self-signed" },
  "tls-key": { help: "Private key of --tls-cert, PEM", parse: path },
  "acme-domain": {
    help: "Get a certificate for this name of the relay from a certificate authority",
    parse: text,
    placeholder: "DOMAIN",
  },
  ...acmeOptions("server_acme_creds.json"),
  "acme-renew-days": {
    help: "Latest renewal, in days before the certificate's end",
    parse: integer(1, 365),
    default: "30",
    advanced: true,
  },
  "acme-eab-kid": { help: "Key id of an account at the authority", parse: text, placeholder: "ID", advanced: true },
  "acme-eab-hmac": { help: "Its HMAC key", parse: text, secret: true, advanced: true },
  "new-names-per-week": {
    help: "New names with certificates per week; a third per joined client",
    parse: integer(1, 1_000_000),
    default: "45",
    advanced: true,
  },
  "authorized-keys": {
    help: "File with admitted client ids or fingerprints, one per line",
    parse: path,
  },
  "auth-webhook": {
    help: "URL that decides about clients that no list knows",
    parse: text,
    placeholder: "URL",
  },
  "auth-webhook-secret": {
    help: "Secret that signs requests to the webhook",
    parse: text,
    secret: true,
    advanced: true,
  },
  open: { help: "Let anyone connect", parse: flag },
  "quic-admission": {
    help: "Who may start a QUIC handshake: clients with a ticket, or anyone",
    parse: choice("ticket", "open"),
    default: "ticket",
    advanced: true,
  },
  "quic-memory": {
    help: "Memory limit of the QUIC process in MiB; beyond it, it restarts",
    parse: integer(128, 1_048_576),
    defaultHelp: "half of the machine's",
    advanced: true,
  },
  "state-dir": {
    help: "Folder for keys, certificates and state",
    parse: path,
    defaultHelp: "the platform's data folder",
  },
  "visitors-per-address": {
    help: "New visitors a second from one address (an IPv6 /64), twice as many at once; 0 is no limit",
    parse: count,
    defaultHelp: "50, on loopback 0",
    advanced: true,
  },
  "visitors-per-name": {
    help: "New visitors a second for one name, twice as many at once; 0 is no limit",
    parse: count,
    defaultHelp: "500, on loopback 0",
    advanced: true,
  },
  "streams-per-address": {
    help: "Visitors at once from one address (an IPv6 /64); 0 is no limit",
    parse: count,
    defaultHelp: "500, on loopback 0",
    advanced: true,
  },
  "streams-per-client": {
    help: "Visitors at once for one name; 0 is no limit",
    parse: count,
    default: "4000",
    advanced: true,
  },
  "max-visitors": { help: "Visitors at once; 0 is no limit", parse: count, default: "20000", advanced: true },
  "max-pending-hellos": {
    help: "Visitors in the TLS handshake phase; beyond it the slowest is dropped",
    parse: integer(1, 1_000_000),
    default: "4096",
    advanced: true,
  },
  "pending-clients": {
    help: "Unauthenticated clients: random drop from START, full drop from FULL",
    parse: earlyDrop,
    defaultHelp: "10:30:100, on loopback 100:0:100",
    advanced: true,
  },
  "max-penalty": {
    help: "Longest lockout of an address after rejected clients; 0s for none",
    parse: durationMs,
    defaultHelp: "10m, on loopback 0s",
    advanced: true,
  },
  "links-per-address": {
    help: "Links at once from one address (an IPv6 /64); 0 is no limit",
    parse: count,
    defaultHelp: "1000, on loopback 0",
    advanced: true,
  },
  "links-per-client": {
    help: "Links at once of one client; 0 is no limit",
    parse: count,
    default: "64",
    advanced: true,
  },
  "max-links": { help: "Links at once; 0 is no limit", parse: count, default: "50000", advanced: true },
  "bytes-per-month": {
    help: "Monthly traffic of one client, as 500GB; 0 is no limit",
    parse: byteCount,
    default: "0",
  },
  bandwidth: {
    help: "Bytes a second of one client, over all its visitors; 0 is no limit",
    parse: byteCount,
    default: "0",
  },
  "startup-grace": {
    help: "Time after the start in which visitors wait for their client",
    parse: durationMs,
    defaultHelp: "15s, on loopback 0s",
    advanced: true,
  },
  drain: {
    help: "Time for visitors to finish when the relay stops",
    parse: durationMs,
    defaultHelp: "30s, on loopback 0s",
    advanced: true,
  },
  "admin-port": {
    help: "Monitoring over HTTP: /healthz, /readyz and /metrics",
    parse: port,
    defaultHelp: "not opened",
  },
  "admin-addr": {
    help: "Address of the admin port; everyone who reaches it reads the metrics",
    parse: text,
    placeholder: "ADDRESS",
    default: "127.0.0.1",
    advanced: true,
  },
  "admin-host": {
    help: "Host name that the admin port accepts besides addresses and localhost",
    parse: text,
    placeholder: "NAME",
    repeatable: true,
    defaultHelp: "none",
    advanced: true,
  },
  "client-metrics": {
    help: "Labels of clients with byte counts of their own in the metrics",
    parse: integer(0, 1_000),
    default: "0",
    advanced: true,
  },
  "abuse-contact": {
    help: "Mail address or URL for reports about clients, shown at the relay's own name",
    parse: abuseContact,
  },
  "log-level": {
    help: "Lowest level that is logged; debug includes every visitor",
    parse: choice("debug", "info", "warn", "error"),
    default: "info",
  },
  json: { help: "Log one JSON object per line", parse: flag },
});
