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
  const measured = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    const watch = watchTurns();
    await work();
    const longestMs = await watch.stop();
    show({ name: `longest turn: ${what}`, value: longestMs, unit: "ms", target: 20, atMost: true });
  };
  const { exchanges } = await inspector.list({});
  // The first run compiles the code.
  await inspector.list({ filter: { text: "a" } });
  await measured("a search", () => inspector.list({ filter: { text: "a absent" } }));
  await measured("showing each body", async () => {
    for (const { id } of exchanges) await inspector.body({ id, side: "request" });
  });
  const har = (count: number): Promise<unknown> =>
    inspector.export({ format: "har", ids: exchanges.slice(0, count).map(({ id }) => id) });
  await har(1);
  await measured("the largest HAR", () => har(exchanges.length));
  await inspector.close();
}

/** Measures the processor time of this thread between turns of the event loop, which other programs do not change. */
function watchTurns(): { stop(): Promise<number> } {
  let [longestUs, last, isOver] = [0, threadUs(), false];
  const turn = (): void => {
    const now = threadUs();
    longestUs = Math.max(longestUs, now - last);
    last = now;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  return {
    async stop() {
      await new Promise((resolve) => setImmediate(resolve));
      isOver = true;
      return longestUs / 1_000;
    },
  };
}

function threadUs(): number {
  // The types are those of the oldest Node that programs run on.
  const { user, system } = (process as unknown as { threadCpuUsage(): NodeJS.CpuUsage }).threadCpuUsage();
  return user + system;
}
