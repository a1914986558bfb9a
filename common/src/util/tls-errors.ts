import type { TLSSocket } from "node:tls";

/**
 * Makes TLS errors after the handshake destroy a server's socket that no `tls.Server` has made. Of such a socket Node reports them by an internal event
 * only, and keeps it open (`_tlsError` in its lib/_tls_wrap.js, Node 20 to 24).
 */
export function destroyOnTlsError(socket: TLSSocket): void {
  socket.on("_tlsError", (error: Error) => socket.destroy(error));
}

/** OpenSSL's reason alone in brackets after a space, without where in its source it stands. Empty for other errors. */
export function openSslReason(cause: unknown): string {
  const { reason } = (cause ?? {}) as { readonly reason?: unknown };
  return typeof reason === "string" ? ` (${reason})` : "";
}
