import { parseDurationMs } from "@porthole/common/util";
import type { AccessSpec, TunnelSpec } from "@porthole/tunnel/rpc";
import { t } from "../text.ts";

/**
 * A port as the project's settings describe it (`porthole.ports`). The names are those of the command line's options. Nothing here
 * is secret: a user name, a password or a webhook's secret is asked for, never read from a project.
 */
export interface ProjectPort {
  readonly port: number;
  readonly label?: string;
  readonly local?: string;
  readonly "local-proxy-protocol"?: boolean;
  readonly mode?: NonNullable<TunnelSpec["mode"]>;
  readonly headers?: NonNullable<TunnelSpec["headers"]>;
  readonly name?: string;
  readonly route?: readonly string[];
  readonly inspect?: boolean;
  readonly redact?: readonly string[];
  readonly "access-share"?: boolean;
  readonly "access-webhook"?: string;
  readonly "access-address"?: readonly string[];
  readonly "access-path"?: readonly string[];
  readonly "access-for"?: string;
  /** When it is exposed by itself, once the user has agreed: `open`, `task NAME`, `launch NAME`. */
  readonly "auto-expose"?: readonly string[];
}

export interface ProjectPorts {
  readonly ports: readonly ProjectPort[];
  /** One sentence for each entry that can't be used. */
  readonly problems: readonly string[];
}

const maxPorts = 20;
const maxTexts = 50;
const maxChars = 500;

type Reader = (value: unknown) => boolean;
const isText: Reader = (value) => typeof value === "string" && value !== "" && value.length <= maxChars;
const isFlag: Reader = (value) => typeof value === "boolean";
const isTexts: Reader = (value) => Array.isArray(value) && value.length <= maxTexts && value.every(isText);
const isOneOf =
  (...values: readonly string[]): Reader =>
  (value) =>
    typeof value === "string" && values.includes(value);

const readers: { readonly [K in Exclude<keyof ProjectPort, "port">]-?: Reader } = {
  label: isText,
  local: isText,
  "local-proxy-protocol": isFlag,
  mode: isOneOf("auto", "http", "tcp"),
  headers: isOneOf("auto", "transparent", "localhost"),
  name: isText,
  route: (value) => isTexts(value) && (value as readonly string[]).every((each) => /^\/[^=]*=./.test(each)),
  inspect: isFlag,
  redact: isTexts,
  "access-share": isFlag,
  "access-webhook": isText,
  "access-address": isTexts,
  "access-path": isTexts,
  "access-for": (value) => typeof value === "string" && (parseDurationMs(value) ?? 0) > 0,
  "auto-expose": (value) =>
    isTexts(value) && (value as readonly string[]).every((each) => /^(open|(task|launch) .+)$/.test(each)),
};

/** The names that an entry may have. */
export const projectPortKeys = Object.keys(readers);

/** Reads the setting, which strangers may have written. An entry with a mistake is left out whole: half of it could mean more access. */
export function readProjectPorts(value: unknown): ProjectPorts {
  const ports: ProjectPort[] = [];
  const problems: string[] = [];
  const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
  for (const [key, entry] of entries.slice(0, maxPorts)) {
    const port = /^\d{1,5}$/.test(key) ? Number(key) : 0;
    if (port < 1 || port > 65_535 || typeof entry !== "object" || entry === null || Array.isArray(entry)) {
      problems.push(t("The setting porthole.ports has no port {0}", key.slice(0, 40)));
      continue;
    }
    const wrong = Object.entries(entry as object).find(
      ([name, each]) => !Object.hasOwn(readers, name) || !readers[name as keyof typeof readers](each),
    );
    if (wrong) problems.push(t("The setting porthole.ports is wrong for port {0}: {1}", port, wrong[0].slice(0, 40)));
    else ports.push({ port, ...(entry as object) });
  }
  return { ports, problems };
}

/** What the port's tunnel gets besides the user's own settings. Access is not in it: `narrowed` has that. */
export function projectOptions(port: ProjectPort): Partial<TunnelSpec> {
  const { mode, headers, name, route, "local-proxy-protocol": localProxyProtocol } = port;
  const routes = route?.map((text) => {
    const at = text.indexOf("=");
    return { path: text.slice(0, at), local: text.slice(at + 1) };
  });
  return {
    ...(mode === undefined ? {} : { mode }),
    ...(headers === undefined ? {} : { headers }),
    ...(name === undefined ? {} : { name }),
    ...(routes === undefined ? {} : { routes }),
    ...(localProxyProtocol === undefined ? {} : { localProxyProtocol }),
  };
}

/** Returns rules that let in nobody whom the user's own rules keep out. `endsAt`: when the project's `access-for` is over. */
export function narrowed(own: AccessSpec, port: ProjectPort, endsAt: number | undefined): AccessSpec {
  const addresses = narrowedList(own.addresses, port["access-address"]);
  const paths = narrowedList(own.paths, port["access-path"]);
  const ends = [own.endsAt, endsAt].filter((each) => each !== undefined);
  return {
    ...own,
    ...(addresses ? { addresses } : {}),
    ...(paths ? { paths } : {}),
    ...(ends.length > 0 ? { endsAt: Math.min(...ends) } : {}),
  };
}

/** An entry that lets in widens a list that has one already, so only exceptions are added to such a list. */
function narrowedList(
  own: readonly string[] | undefined,
  more: readonly string[] | undefined,
): readonly string[] | undefined {
  const isException = (text: string): boolean => text.startsWith("!");
  if (!own || own.length === 0) return more && more.length > 0 ? more : own;
  return [...own, ...(more ?? []).filter((each) => own.every(isException) || isException(each))];
}
