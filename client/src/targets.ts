import { PortholeError } from "@porthole/common/errors";
import { localService, type LocalService } from "@porthole/tunnel/gateway";
import type { ClientValues } from "./options.ts";
import { mainTunnel } from "./running-client.ts";

/** A service to expose: `3000`, or `web=3000`. */
export interface Target {
  /** Absent: the client's own name for the first one, otherwise its port. */
  readonly name: string | undefined;
  readonly service: LocalService;
  /** Its own options, where they are not the command's. */
  readonly values?: ClientValues;
}

/** As many as a person types. A running client has its own limit of 100. */
export const maxTargets = 20;
const nameForm = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** Reads `SERVICE` or `NAME=SERVICE`. Throws `usage`. */
export function parseTarget(text: string): Target {
  const parts = /^([^=/:[\]]*)=(.+)$/.exec(text);
  if (!parts) return { name: undefined, service: localService.parse(text) };
  const [, name = "", service = ""] = parts;
  return { name: checkedName(name), service: localService.parse(service) };
}

/** Names are also file names, on file systems that take `Web` for `web`. Throws `usage`. */
export function checkedName(name: string): string {
  if (nameForm.test(name)) return name;
  throw new PortholeError("usage", `${JSON.stringify(name)} can't be the name of a tunnel`, {
    hint: "Use small letters, digits, dots and hyphens, at most 63: porthole web=3000.",
  });
}

export interface NamedTarget extends Target {
  readonly name: string;
}

/**
 * Gives each target its name. The first one without a name has the client's own, `main`, unless a running client uses that
 * already; the others are named after their port. Throws `usage` when two have one name.
 */
export function nameTargets(targets: readonly Target[], isMainTaken = false): readonly NamedTarget[] {
  let mainIsFree = !isMainTaken && targets.every(({ name }) => name !== mainTunnel);
  const named = targets.map((target) => {
    const isMain = target.name === undefined && mainIsFree;
    if (isMain) mainIsFree = false;
    return { ...target, name: target.name ?? (isMain ? mainTunnel : nameOf(target.service)) };
  });
  const twice = named.find(({ name }, index) => named.findIndex((each) => each.name === name) < index);
  if (!twice) return named;
  throw new PortholeError("usage", `Two tunnels are called ${twice.name}`, {
    hint: `Give each a name of its own: porthole NAME=${twice.service.text}.`,
  });
}

function nameOf({ port, socketPath }: LocalService): string {
  if (socketPath === undefined) return String(port);
  const file = socketPath.slice(socketPath.lastIndexOf("/") + 1).toLowerCase();
  return nameForm.test(file) ? file : "socket";
}
