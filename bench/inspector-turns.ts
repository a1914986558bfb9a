import { monitorEventLoopDelay } from "node:perf_hooks";
import { Inspector } from "@porthole/tunnel/inspector";
import { systemClock } from "@porthole/common/util";
import type { ShowRow } from "./row.ts";

/** Bytes of visitors that take long to redact. */
const pieces = ['\\"a\\":\\"', '"a":', "a=", "<a ", "[{", " "];
const bodyBytes = 900 * 1024;

/** The longest turn of the event loop while recorded bodies are looked through, shown and exported, as visitors would make it longest. */
export async function benchInspectorTurns(show: ShowRow): Promise<void> {
  const inspector = new Inspector({ clock: systemClock });
  const visitor = { endpoint: "primary", address: "192.0.2.1", hostname: "x", traceId: "", transport: "quic" } as const;
  const headers = ["Content-Type", "text/html", "Content-Length", String(bodyBytes)];
  for (let count = 0; count < 10; count++)
    for (const piece of pieces) {
      const exchange = inspector.begin({
        ...{ visitor, scheme: "https", httpVersion: "1.1", method: "POST", target: "/", headers },
      });
      exchange?.requestChunk(Buffer.from(piece.repeat(bodyBytes / piece.length)));
      exchange?.requestEnd([]);
      exchange?.end();
    }
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const measured = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    delay.reset();
    await work();
    // The histogram sees the last turn at its next sample.
    await new Promise((resolve) => setTimeout(resolve, 20));
    show({ name: `longest turn: ${what}`, value: delay.max / 1e6, unit: "ms", target: 20, atMost: true });
  };
  const { exchanges } = await inspector.list({});
  // The first run compiles the code.
  await inspector.list({ filter: { text: "a" } });
  await measured("a search", () => inspector.list({ filter: { text: "a absent" } }));
  await measured("showing each body", async () => {
    for (const { id } of exchanges) await inspector.body({ id, side: "request" });
  });
  await measured("a HAR of six", () =>
    inspector.export({ format: "har", ids: exchanges.slice(0, 6).map(({ id }) => id) }),
  );
  delay.disable();
  await inspector.close();
}
