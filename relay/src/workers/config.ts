import type { RelayConfig } from "../config/config.ts";

/** The settings of one worker: what there may be once only is the supervisor's, and each has its own port for the others. */
export function workerConfig(config: RelayConfig, index: number): RelayConfig {
  const { cluster } = config;
  return {
    ...config,
    admin: undefined,
    eventsWebhook: undefined,
    cluster: cluster
      ? {
          ...cluster,
          port: next(cluster.port, index),
          advertised: { ...cluster.advertised, port: next(cluster.advertised.port, index) },
        }
      : {
          ...{ address: "127.0.0.1", port: 0, peers: [], shared: undefined },
          advertised: { host: "127.0.0.1", port: 0 },
        },
  };
}

function next(port: number, index: number): number {
  return port === 0 ? 0 : port + index;
}
