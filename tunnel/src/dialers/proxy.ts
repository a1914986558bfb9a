import { getProxyForUrl } from "proxy-from-env";
import { PortholeError } from "@porthole/common/errors";
import type { HttpProxy } from "@porthole/common/link/http2";
import type { OptionSpec, Parser } from "@porthole/common/options";
import { isLoopback } from "@porthole/common/protocol";
import { Secret } from "@porthole/common/util";

/** The value of `--proxy`: a proxy, or `direct` for none, whatever the environment says. */
export type ProxyChoice = HttpProxy | "direct";

/** Returns the proxy that leads to a host; undefined for the direct way. */
export type ProxyFor = (target: { readonly host: string; readonly port: number }) => HttpProxy | undefined;

const defaultPorts: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

/** `http://[USER:PASSWORD@]HOST[:PORT]`, `https://…`, or `direct`. */
export const proxyUrl: Parser<ProxyChoice> = {
  placeholder: "URL|direct",
  parse(text) {
    if (text === "direct") return "direct";
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const port = url && (url.port === "" ? defaultPorts[url.protocol] : Number(url.port));
    const isPlain = url?.pathname === "/" && url.search === "" && url.hash === "";
    if (!url || !port || !isPlain || !url.hostname || (url.protocol !== "http:" && url.protocol !== "https:"))
      // The text may have a password in it.
      throw new PortholeError("usage", "expected a proxy like http://proxy.example.com:3128, or direct");
    const { username, password, protocol } = url;
    return {
      protocol,
      host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
      port,
      ...(username === "" ? {} : { credentials: new Secret(`${decode(username)}:${decode(password)}`) }),
    };
  },
  holdsSecret: (choice) => choice !== "direct" && choice.credentials !== undefined,
};

/** The option of every program that dials relays. */
export const proxyOption = {
  help: "HTTP proxy to the relay and the CA; a password in it only by the environment variable",
  parse: proxyUrl,
  defaultHelp: "what HTTPS_PROXY and NO_PROXY say",
  advanced: true,
} satisfies OptionSpec;

/** The user's choice; without one what HTTPS_PROXY, ALL_PROXY and NO_PROXY say. No proxy leads to this machine. */
export function proxyFrom(choice: ProxyChoice | undefined): ProxyFor {
  if (choice === "direct") return () => undefined;
  if (choice) return () => choice;
  return ({ host, port }) => {
    if (isLoopback(host)) return undefined;
    const text = getProxyForUrl(`https://${host.includes(":") ? `[${host}]` : host}:${port}`);
    if (text === "") return undefined;
    try {
      const chosen = proxyUrl.parse(text);
      return chosen === "direct" ? undefined : chosen;
    } catch (cause) {
      throw new PortholeError("usage", "HTTPS_PROXY or ALL_PROXY is not the address of an HTTP proxy", {
        cause,
        hint: "Correct it (in an editor it may be the setting http.proxy), or set PORTHOLE_PROXY; direct there uses none.",
      });
    }
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
