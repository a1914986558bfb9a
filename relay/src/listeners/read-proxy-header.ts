import type { Socket } from "node:net";
import { PortholeError } from "@porthole/common/errors";
import { decodeProxyHeader } from "@porthole/common/protocol";
import type { Addresses } from "./addresses-of.ts";
import { decodeProxyLine } from "./proxy-line.ts";

/**
 * Reads the PROXY header that a connection begins with, and leaves everything behind it in the socket, which is paused then. Returns
 * undefined for a connection of the balancer's own (LOCAL, UNKNOWN). Rejects with `protocol` or `limit` for anything else, and with
 * `closed` when the connection ends before.
 */
export function readProxyHeader(socket: Socket): Promise<Addresses | undefined> {
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0);
    const settle = (): void => {
      socket.pause();
      socket.off("data", onData);
      socket.off("end", onEnd);
      socket.off("close", onEnd);
    };
    const onEnd = (): void => {
      settle();
      reject(new PortholeError("closed", "A balancer's connection ended before its PROXY header"));
    };
    const onData = (chunk: Buffer): void => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      try {
        const decoded = decodeProxyLine(bytes) ?? decodeBinary(bytes);
        if (!decoded) return;
        settle();
        if (bytes.length > decoded.length) socket.unshift(bytes.subarray(decoded.length));
        resolve(decoded.addresses);
      } catch (reason) {
        settle();
        reject(reason);
      }
    };
    socket.on("data", onData).on("end", onEnd).on("close", onEnd);
  });
}

function decodeBinary(
  bytes: Buffer,
): { readonly addresses: Addresses | undefined; readonly length: number } | undefined {
  // Version 1, not whole yet.
  if (bytes[0] === "P".charCodeAt(0)) return undefined;
  const decoded = decodeProxyHeader(bytes);
  if (!decoded) return undefined;
  const { source, destination } = decoded.header;
  return {
    addresses: source && destination ? { remote: source, local: destination } : undefined,
    length: decoded.length,
  };
}
