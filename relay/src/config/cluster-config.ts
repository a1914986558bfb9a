import { PortholeError } from "@porthole/common/errors";
import type { OptionValues } from "@porthole/common/options";
import type { ClusterConfig } from "../cluster/cluster.ts";
import { createSealer } from "../cluster/sealed.ts";
import type { SharedConfig } from "../cluster/shared.ts";
import type { engineOptions, peerOptions } from "./cluster-options.ts";

/** How the relay is one of several; undefined for one that is alone. Throws `usage`. */
export function clusterConfig(
  values: OptionValues<typeof peerOptions> & OptionValues<typeof engineOptions> & { readonly workers: number },
  bindAddress: string,
): ClusterConfig | undefined {
  const { "peer-port": listen, peer: peers, "peer-address": advertised } = values;
  const shared = sharedConfig(values);
  if (values.workers > 1 && peers.length > 0)
    throw new PortholeError(
      "usage",
      "--peer and --workers contradict each other: each worker is a relay to the others",
      {
        hint: "Use --cluster: by it workers of several machines find each other.",
      },
    );
  if (!listen) {
    if (peers.length === 0 && !shared) return undefined;
    throw new PortholeError(
      "usage",
      `--${shared ? "cluster" : "peer"} needs --peer-port: relays connect to each other`,
    );
  }
  const address = listen.address ?? bindAddress;
  if (shared && !advertised && (isAnyAddress(address) || listen.port === 0))
    throw new PortholeError("usage", "--cluster needs --peer-address: the other relays can't know where this one is");
  return { address, port: listen.port, peers, shared, advertised: advertised ?? { host: address, port: listen.port } };
}

function isAnyAddress(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

/** The engine of a cluster, for the relay and its commands. Throws `usage`. */
export function sharedConfig(values: OptionValues<typeof engineOptions>): SharedConfig | undefined {
  const { cluster: servers, "cluster-name": name, "cluster-secret": secret } = values;
  if (servers.length === 0) return undefined;
  if (!secret) throw new PortholeError("usage", "--cluster and --cluster-secret-file belong together");
  createSealer(secret, "check");
  return { engine: { servers, name, credsPath: values["cluster-creds"], caPath: values["cluster-ca"] }, secret };
}
