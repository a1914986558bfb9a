import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createNetlab,
  netlabMissing,
  startLabTunnel,
  type LabTunnel,
  type LabTunnelOptions,
  type Netlab,
  type NetlabOptions,
} from "@porthole/testing/netlab";

/** Whether this machine can have a network lab; says why not where it can't. */
export function mayUseLab(): boolean {
  const missing = netlabMissing();
  if (missing === undefined) return true;
  process.stderr.write(`Not measured: ${typeof missing === "string" ? missing : missing.platform}\n`);
  return false;
}

/** Visitor, relay and client with its web server, each on a host of its own, for as long as `work` takes. */
export async function withLabTunnel<T>(
  options: NetlabOptions & Omit<LabTunnelOptions, "folder">,
  work: (tunnel: LabTunnel, lab: Netlab) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "porthole-bench-"));
  const lab = await createNetlab(options);
  try {
    // As bytes: what is measured is the way, not what the client knows about HTTP.
    const tunnel = await startLabTunnel(lab, { local: "tcp", ...options, folder });
    if (options.transport !== "h2") await tunnel.online("quic");
    return await work(tunnel, lab);
  } finally {
    await lab.close();
    await rm(folder, { recursive: true, force: true });
  }
}
