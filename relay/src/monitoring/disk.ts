import type { StatsFs } from "node:fs";
import { statfs } from "node:fs/promises";
import { Gauge, type Registry } from "prom-client";
import { withDeadline, type Clock } from "@porthole/common/util";

/** A network folder that hangs must not hold the other figures up. */
const deadlineMs = 1_000;

/** The room on the disk of the state folder. Where the system does not say, there are no values. */
export function registerDiskMetrics(registry: Registry, stateDir: string, clock: Clock, signal: AbortSignal): void {
  gauge("free_bytes", "Room left on the disk of the state folder", ({ bavail, bsize }) => bavail * bsize);
  gauge("size_bytes", "Size of that disk", ({ blocks, bsize }) => blocks * bsize);

  function gauge(name: string, help: string, read: (disk: StatsFs) => number): void {
    const figure: Gauge = new Gauge({
      name: `porthole_state_disk_${name}`,
      help,
      aggregator: "first",
      registers: [registry],
      async collect() {
        try {
          const disk = await withDeadline({ clock, delayMs: deadlineMs, what: "The state of the disk", signal }, () =>
            statfs(stateDir),
          );
          figure.set(read(disk));
        } catch {
          figure.remove();
        }
      },
    });
  }
}
