import { defineOptions, flag, path, port, text } from "@porthole/common/options";

/** Every option of the relay, once: flags, environment variables, help and documentation come from here. */
export const relayOptions = defineOptions({
  "bind-addr": {
    help: "Address that all ports are opened on",
    parse: text,
    placeholder: "ADDRESS",
    fallbackHelp: "0.0.0.0 with a public name, else 127.0.0.1",
  },
  "api-port": { help: "Agents: QUIC on UDP, HTTP/2 on TCP", parse: port, fallback: "4433" },
  "pub-port": { help: "Visitors: TLS, routed by name", parse: port, fallback: "8443" },
  "alpn-port": {
    help: "TLS-ALPN-01 challenges; opened only with a public name; may equal --pub-port",
    parse: port,
    fallback: "443",
  },
  "domain-suffix": {
    help: "Suffix of public names; several are allowed",
    parse: text,
    placeholder: "DOMAIN",
    repeatable: true,
    fallbackHelp: "any, for development on this machine",
  },
  "tls-cert": { help: "Certificate chain for the API port, PEM", parse: path, fallbackHelp: "self-signed" },
  "tls-key": { help: "Its private key, PEM", parse: path },
  "authorized-keys": {
    help: "File with the client ids or fingerprints that may connect, one a line",
    parse: path,
  },
  open: { help: "Let anyone connect", parse: flag },
  "state-dir": {
    help: "Folder for everything that is written",
    parse: path,
    fallbackHelp: "the platform's data folder",
  },
  json: { help: "Log one JSON object a line", parse: flag },
});
