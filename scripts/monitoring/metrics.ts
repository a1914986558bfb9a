import type { Registry } from "prom-client";
import { systemClock } from "@porthole/common/util";
import { registerClusterMetrics } from "../../relay/src/cluster/metrics.ts";
import { registerDiskMetrics } from "../../relay/src/monitoring/disk.ts";
import { Metrics } from "../../relay/src/monitoring/metrics.ts";
import { registerQuicWorkerMetrics } from "../../relay/src/quic-worker/metrics.ts";
import { cell } from "./cell.ts";

export interface Figure {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

/** Every figure that the relay's code defines, apart from those of the process. Nothing is measured. */
export function relayFigures(): readonly Figure[] {
  const nobodyAsks = (): never => {
    throw new Error("The figures are listed and not asked for");
  };
  const { registry } = new Metrics(nobodyAsks);
  registerDiskMetrics(registry, "", systemClock, AbortSignal.abort());
  registerQuicWorkerMetrics(registry, nobodyAsks);
  registerClusterMetrics(registry, nobodyAsks);
  return figuresIn(registry);
}

export function figuresIn(registry: Registry): readonly Figure[] {
  return registry.getMetricsAsArray() as unknown as readonly Figure[];
}

/** The table of figures in docs/operating.md. */
export function figuresTable(): string {
  const rows = relayFigures().map(
    ({ name, labelNames, help }) => `| \`${name}\` | ${labelNames.join(", ")} | ${cell(help)} |`,
  );
  return ["| figure | labels | what |", "| --- | --- | --- |", ...rows, ""].join("\n");
}
