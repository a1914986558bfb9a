import { Counter, Gauge, type Registry } from "prom-client";
import type { QuicWorkerFacts } from "./facts.ts";

/** The QUIC worker's figures for Prometheus, as of its last heartbeat; docs/operating.md says when to worry. */
export function registerQuicWorkerMetrics(registry: Registry, observe: () => QuicWorkerFacts | undefined): void {
  gauge("up", "1 while the process that serves QUIC runs", (facts) => (facts.state === "up" ? 1 : 0));
  gauge("memory_bytes", "What that process holds", (facts) => facts.rssBytes);
  gauge("memory_limit_bytes", "What it may hold", (facts) => facts.memoryCapBytes);
  gauge("handshakes", "QUIC handshakes that are not over yet", ({ engine }) => engine.handshakes);
  counter("restarts_total", "How often that process had to be restarted", (facts) => facts.restarts);
  counter("handshakes_total", "Handshakes that the QUIC engine has begun", ({ engine }) => engine.accepted);
  counter("answered_total", "Datagrams that were answered without the engine", ({ engine }) => engine.answered);
  counter("send_failures_total", "Datagrams that the system did not take", ({ engine }) => engine.sendFailures);
  const engine: Gauge<"engine"> = new Gauge({
    name: "porthole_quic_engine_info",
    help: "1 for the QUIC engine that serves",
    labelNames: ["engine"],
    registers: [registry],
    collect() {
      engine.reset();
      const name = observe()?.serving?.name;
      if (name !== undefined) engine.set({ engine: name }, 1);
    },
  });
  const dropped: Counter<"reason"> = new Counter({
    name: "porthole_quic_dropped_total",
    help: "Datagrams of no connection that were dropped, by the reason",
    labelNames: ["reason"],
    registers: [registry],
    collect() {
      dropped.reset();
      for (const [reason, count] of Object.entries(observe()?.engine.dropped ?? {})) dropped.inc({ reason }, count);
    },
  });

  function gauge(name: string, help: string, read: (facts: QuicWorkerFacts) => number): void {
    const figure: Gauge = new Gauge({
      ...{ name: `porthole_quic_${name}`, help, registers: [registry] },
      collect: () => figure.set(value(read)),
    });
  }

  function counter(name: string, help: string, read: (facts: QuicWorkerFacts) => number): void {
    const figure: Counter = new Counter({
      ...{ name: `porthole_quic_${name}`, help, registers: [registry] },
      collect() {
        figure.reset();
        figure.inc(value(read));
      },
    });
  }

  function value(read: (facts: QuicWorkerFacts) => number): number {
    const facts = observe();
    return facts ? read(facts) : 0;
  }
}
