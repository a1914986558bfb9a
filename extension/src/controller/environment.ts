import { urlOf, type Exposure } from "./exposure.ts";

/** A change of one variable of new terminals. `append` adds to a list that may have the user's own entries. */
export interface EnvironmentChange {
  readonly name: string;
  readonly value: string;
  readonly how: "replace" | "append";
}

/**
 * Public names for programs in the terminal: our own two, and the lists by which Vite and Rails admit hosts
 * (vite.dev, server.allowedHosts; Rails' ActionDispatch::HostAuthorization). Their own checks stay on.
 */
export function environmentOf(exposures: readonly Exposure[]): readonly EnvironmentChange[] {
  const urls = exposures.flatMap((exposure) => (exposure.phase === "on" ? (urlOf(exposure) ?? []) : []));
  const first = urls[0];
  if (first === undefined) return [];
  const hosts = [...new Set(urls.map((url) => new URL(url).hostname))].join(",");
  return [
    { name: "PORTHOLE_URL", value: first, how: "replace" },
    { name: "PORTHOLE_HOST", value: new URL(first).hostname, how: "replace" },
    { name: "__VITE_ADDITIONAL_SERVER_ALLOWED_HOSTS", value: hosts, how: "append" },
    { name: "RAILS_DEVELOPMENT_HOSTS", value: hosts, how: "append" },
  ];
}
