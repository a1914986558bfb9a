import type { TunnelStateView } from "./contract/index.ts";

/**
 * Returns the first URL of a tunnel that is online, otherwise undefined. `withCertificate`: and whose visitors get no warning, as
 * far as an authority was asked.
 */
export function readyUrl({ endpoints: [first] }: TunnelStateView, withCertificate: boolean): string | undefined {
  if (!first?.relays.some(({ now }) => now.status === "online")) return undefined;
  const isAwaited = first.certificates.some(({ status }) => status === "pending" || status === "failed");
  return withCertificate && isAwaited ? undefined : first.urls[0];
}
