import type { AccessSpec, TunnelSpec } from "@porthole/tunnel/rpc";
import { readProjectPort, type ProjectPortSettings } from "@porthole/tunnel/settings";
import { t } from "../text.ts";

/**
 * A port as the project's settings describe it (`porthole.ports`): the same settings, and the same reader, as a tunnel of
 * `porthole.toml`. Nothing here is secret: a password or a webhook's secret is asked for, never read from a project.
 */
export type ProjectPort = ProjectPortSettings & { readonly port: number };

export interface ProjectPorts {
  readonly ports: readonly ProjectPort[];
  /** One sentence for each entry that can't be used. */
  readonly problems: readonly string[];
}

const maxPorts = 20;

/** Reads the setting, which strangers may have written. An entry with a mistake is left out whole: half of it could mean more access. */
export function readProjectPorts(value: unknown): ProjectPorts {
  const ports: ProjectPort[] = [];
  const problems: string[] = [];
  const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
  for (const [key, entry] of entries.slice(0, maxPorts)) {
    const port = /^\d{1,5}$/.test(key) ? Number(key) : 0;
    if (port < 1 || port > 65_535) {
      problems.push(t("The setting porthole.ports has no port {0}", key.slice(0, 40)));
      continue;
    }
    const { settings, trouble } = readProjectPort(entry);
    if (settings) ports.push({ ...settings, port });
    else {
      const what = `${trouble.path.join(".").slice(0, 40)} ${trouble.problem}`.trim();
      problems.push(t("The setting porthole.ports is wrong for port {0}: {1}", port, what));
    }
  }
  return { ports, problems };
}

/** Returns the options of the port's tunnel besides the user's own settings. `narrowed` has the access rules. */
export function projectOptions(port: ProjectPort): Partial<TunnelSpec> {
  const { mode, headers, name, route, "local-proxy-protocol": localProxyProtocol } = port;
  const routes = listOf(route)?.map((text) => {
    const at = text.includes("=") ? text.indexOf("=") : text.length;
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
  const addresses = narrowedList(own.addresses, listOf(port["access-address"]));
  const paths = narrowedList(own.paths, listOf(port["access-path"]));
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

/** A setting that takes a text or a list of texts, as a list. */
export function listOf(value: string | readonly string[] | undefined): readonly string[] | undefined {
  return value === undefined ? undefined : [value].flat();
}
