// Clients of lanes.ts, in a process of their own. `handshakes` makes so many links and leaves them; `answers` takes streams of one link and
// answers each message with a thousand bytes.
import { once } from "node:events";
import { PortholeError } from "@porthole/common/errors";
import type { Carrier } from "@porthole/common/link";
import { dialQuic } from "@porthole/common/link/quic";
import type { Identity } from "./quic-engine-ends.ts";

export interface LanePeerOrder extends Identity {
  readonly kind: "handshakes" | "answers";
  readonly port: number;
  readonly count: number;
}

const atOnce = 16;
const answer = Buffer.alloc(1_000, "a");
const [order] = (await once(process, "message")) as [LanePeerOrder];

function dial(): Promise<Carrier> {
  const { port, cert, key } = order;
  const trust = { kind: "unchecked" } as const;
  return dialQuic({ host: "127.0.0.1", port, cert, key, trust }, { signal: AbortSignal.timeout(60_000) });
}

async function handshakes(): Promise<void> {
  let left = order.count;
  const one = async (): Promise<void> => {
    while (left-- > 0) {
      const carrier = await dial();
      carrier.destroy(new PortholeError("closed", "measured"));
      await carrier.closed;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  process.send?.("done");
}

async function answers(): Promise<void> {
  for await (const stream of (await dial()).incoming) {
    stream.on("error", () => {});
    stream.on("data", () => void stream.write(answer));
    stream.on("end", () => stream.end());
  }
}

await (order.kind === "handshakes" ? handshakes() : answers());
