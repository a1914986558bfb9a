import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { PortholeError } from "@porthole/common/errors";
import { loadOrCreateKey } from "@porthole/common/identity";
import {
  flag,
  formatConfigFile,
  formatHostPort,
  hostPort,
  readOptions,
  text,
  type OptionValues,
} from "@porthole/common/options";
import { silentLogger } from "@porthole/common/log";
import { canonicalHostName, isLoopback } from "@porthole/common/protocol";
import { systemClock, writeFileAtomic } from "@porthole/common/util";
import { defineCommand } from "./command.ts";
import { formatListenPort } from "../config/parsers.ts";
import { relayConfig } from "../config/config.ts";
import { joinPageAt, writeAdvertisedAddress } from "../config/advertised-address.ts";
import {
  checkDns,
  checkPorts,
  describeChecks,
  isGlobal,
  machineAddresses,
  wantedPorts,
  type Check,
} from "../doctor/index.ts";
import { relayOptions } from "../config/options.ts";
import { commandLine, stateDirOf } from "./admission-options.ts";
import { openEnrollmentFile } from "../admission/index.ts";
import { describeInvite, makeInvite } from "./make-invite.ts";

const options = {
  domain: {
    help: "Domain for the tunnels; it and everything under it have to lead to this machine",
    parse: text,
    placeholder: "DOMAIN",
    defaultHelp: "asked for",
  },
  "acme-email": { ...relayOptions["acme-email"], defaultHelp: "asked for; may be empty" },
  acme: {
    help: "Get certificates from Let's Encrypt",
    parse: flag,
    default: "true",
  },
  "api-port": relayOptions["api-port"],
  "pub-port": { ...relayOptions["pub-port"], default: "443" },
  "alpn-port": relayOptions["alpn-port"],
  "http-port": { ...relayOptions["http-port"], defaultHelp: "80; not opened beside a web server" },
  "bind-addr": {
    ...relayOptions["bind-addr"],
    defaultHelp: "all, IPv6 too where the machine has it",
  },
  // For a machine whose port 443 a web server has: docs/beside-a-web-server.md.
  "quic-port": relayOptions["quic-port"],
  "public-port": relayOptions["public-port"],
  "public-api-port": relayOptions["public-api-port"],
  "proxy-protocol-from": relayOptions["proxy-protocol-from"],
  fallback: relayOptions.fallback,
  "fallback-proxy-protocol": relayOptions["fallback-proxy-protocol"],
  "state-dir": { ...relayOptions["state-dir"], help: "State folder of the relay" },
  resolver: { help: "DNS server to ask instead of the machine's own", parse: hostPort(53) },
  force: { help: "Replace a configuration that is there", parse: flag },
} as const;

/** Looks whether a relay could work here, writes its configuration and makes the first invite. */
export const setup = defineCommand({
  usage: "setup",
  help: "Check DNS and ports, write the configuration, make an invite",
  example: "porthole-relay setup --domain tunnel.example.com",
  options,
  // It is there to be replaced, and may be damaged.
  readsConfigFile: false,
  async run(values) {
    const stateDir = stateDirOf(values);
    const path = join(stateDir, "relay.toml");
    if (existsSync(path) && !values.force)
      throw new PortholeError("usage", `There is a configuration already: ${path}`, {
        hint: "Change it with an editor, or replace it with --force. porthole-relay doctor checks it.",
      });
    const { domain, email } = await answers(values);
    const settings = settingsOf(values, domain, email);
    const config = relayConfig(readOptions(relayOptions, [...flagsOf(settings), "--state-dir", stateDir], {}).values);
    const machine = machineAddresses();
    const dns = await checkDns(domain, {
      resolver: values.resolver,
      machineAddresses: machine,
      listensOnIpv6: config.addresses.public.includes(":"),
    });
    const ports = await checkPorts(wantedPorts(config), {
      isRunning: false,
      publicAddresses: dns.addresses,
      machineAddresses: machine,
      clock: systemClock,
      signal: new AbortController().signal,
    });
    const checks = [...dns.checks, ...ports];
    await writeFileAtomic(
      path,
      `# Written by porthole-relay setup. Every flag of porthole-relay can stand here.\n${formatConfigFile(settings)}`,
    );
    const key = await loadOrCreateKey(join(stateDir, "relay-key.pem"));
    await writeAdvertisedAddress(stateDir, {
      ...{ host: domain, port: config.advertisedPorts.api ?? config.apiPort, pin: key.fingerprint },
      ...(config.acme ? { joinPage: joinPageAt(domain, config.advertisedPorts.public ?? config.publicPort) } : {}),
    });
    const file = await openEnrollmentFile(stateDir, { clock: systemClock, log: silentLogger });
    const invite = await makeInvite(file, stateDir, { uses: 1, expiresMs: inviteMs });
    process.stdout.write(report(checks, path, values["state-dir"], describeInvite(invite, values["state-dir"])));
    return 0;
  },
});

const inviteMs = 24 * 3_600_000;

type Values = OptionValues<typeof options>;

/** Returns the domain and the e-mail address. Asks on a terminal for those that flags do not give. */
async function answers(values: Values): Promise<{ readonly domain: string; readonly email: string | undefined }> {
  const { domain, "acme-email": email, acme } = values;
  if (domain !== undefined && (email !== undefined || !acme)) return { domain: parseDomain(domain), email };
  if (!process.stdin.isTTY) {
    if (domain !== undefined) return { domain: parseDomain(domain), email };
    throw new PortholeError("usage", "--domain is required where nobody can be asked", {
      hint: "Give it: porthole-relay setup --domain tunnel.example.com --acme-email you@example.com",
    });
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // Not question(): it would miss a line that is pasted with the one before.
  const typed = lines[Symbol.asyncIterator]();
  async function ask(question: string): Promise<string> {
    process.stderr.write(`${question}: `);
    const { value, done } = await typed.next();
    if (done) throw new PortholeError("usage", "Nothing is set up: there was no answer");
    return value.trim();
  }
  try {
    const name = parseDomain(domain ?? (await ask("Domain for the tunnels (tunnel.example.com)")));
    if (email !== undefined || !acme) return { domain: name, email };
    const given = await ask("E-mail address for the certificate authority (may be empty)");
    return { domain: name, email: given === "" ? undefined : given };
  } finally {
    lines.close();
  }
}

function parseDomain(given: string): string {
  const name = canonicalHostName(given.trim().replace(/^\*?\./, ""));
  if (name !== undefined && name.includes(".") && !isLoopback(name)) return name;
  throw new PortholeError("usage", `${JSON.stringify(given)} is not a domain that visitors could use`, {
    hint: "Write it as tunnel.example.com.",
  });
}

type Settings = Readonly<Record<string, string | number | boolean | readonly string[]>>;

function settingsOf(values: Values, domain: string, email: string | undefined): Settings {
  const hasIpv6 = machineAddresses().some((address) => address.includes(":") && isGlobal(address));
  const { fallback, "quic-port": quicPort, "proxy-protocol-from": balancers } = values;
  // The web server redirects on port 80.
  const isBeside = fallback !== undefined || balancers.length > 0;
  const httpPort = values["http-port"] ?? (isBeside ? undefined : { address: undefined, port: 80 });
  return given({
    "domain-suffix": domain,
    "acme-domain": values.acme ? domain : undefined,
    "acme-email": values.acme ? email : undefined,
    "api-port": formatListenPort(values["api-port"]),
    "pub-port": formatListenPort(values["pub-port"]),
    "alpn-port": formatListenPort(values["alpn-port"]),
    "http-port": httpPort && formatListenPort(httpPort),
    "quic-port": quicPort && formatListenPort(quicPort),
    "public-port": values["public-port"],
    "public-api-port": values["public-api-port"],
    "proxy-protocol-from": balancers.length > 0 ? balancers : undefined,
    fallback: fallback && formatHostPort(fallback),
    "fallback-proxy-protocol": values["fallback-proxy-protocol"] || undefined,
    "bind-addr": values["bind-addr"] ?? (hasIpv6 ? "::" : undefined),
  });
}

function given(settings: Readonly<Record<string, Settings[string] | undefined>>): Settings {
  return Object.fromEntries(
    Object.entries(settings).filter((entry): entry is [string, Settings[string]] => entry[1] !== undefined),
  );
}

function flagsOf(settings: Settings): string[] {
  return Object.entries(settings).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : [value].flat().map((one) => `--${name}=${String(one)}`),
  );
}

function report(checks: readonly Check[], path: string, stateDir: string | undefined, invite: string): string {
  const problems = checks.filter(({ status }) => status === "failed").length;
  const status =
    problems === 0
      ? "Nothing speaks against a relay here."
      : `${problems === 1 ? "One thing is" : `${problems} things are`} wrong or missing (FAILED); ${commandLine("doctor", stateDir)} looks again.`;
  return `${describeChecks(checks)}
${status}
The configuration is in ${path}. Start the relay:

    ${commandLine("", stateDir)}

${invite}`;
}
