import { PortholeError } from "@porthole/common/errors";
import { parseLocalService, type LocalService } from "./local-service.ts";

/** A path of the public name that another service answers, so that front end and API share an origin. */
export interface Route {
  /** `/api` is itself and everything below it, and not `/apiary`. */
  readonly path: string;
  readonly service: LocalService;
}

/** Reads `/api=4000`: a path, and a local service in any form but tcp. Throws `usage`. */
export function parseRoute(text: string): Route {
  const equals = text.indexOf("=");
  const path = text.slice(0, equals);
  if (equals < 0 || !/^\/[\x21-\x7e]*$/.test(path) || /[?#%\\]|\/\/|\/\.\.?(\/|$)/.test(path))
    throw new PortholeError("usage", `"${text}" is not a route`, {
      hint: "Write a path and a local service: /api=4000, or /api=http://localhost:4000.",
    });
  const service = parseLocalService(text.slice(equals + 1));
  if (service.kind === "tcp")
    throw new PortholeError("usage", `The route "${text}" leads to a service that does not speak HTTP`);
  return { path: path.length > 1 ? path.replace(/\/$/, "") : path, service };
}

/** The service of the longest path that fits. */
export function serviceFor(routes: readonly Route[], target: string, otherwise: LocalService): LocalService {
  if (routes.length === 0) return otherwise;
  const path = target.split("?", 1)[0] ?? "";
  let best: Route | undefined;
  for (const route of routes)
    if (isBelow(path, route.path) && route.path.length > (best?.path.length ?? 0)) best = route;
  return best?.service ?? otherwise;
}

function isBelow(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false;
  return path.length === prefix.length || prefix.endsWith("/") || path[prefix.length] === "/";
}

/** For option tables. */
export const route = { placeholder: "PATH=SERVICE", parse: parseRoute } as const;
