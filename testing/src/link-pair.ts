import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { Duplex, Readable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import type { Link, LinkStream } from "@porthole/common/link";

const mebibyte = 1024 * 1024;

export interface LinkPair {
  readonly relay: Link;
  readonly client: Link;
  /** Closes what the pair needed besides the two links (listeners), and asserts that nothing of it is left. */
  dispose(): Promise<void>;
}

export async function accept(link: Link): Promise<LinkStream> {
  const { value } = await link.incoming[Symbol.asyncIterator]().next();
  return value as LinkStream;
}

export async function openStream(pair: LinkPair): Promise<{ opened: LinkStream; accepted: LinkStream }> {
  const opened = pair.relay.openStream();
  opened.write("x");
  const accepted = await accept(pair.client);
  const [first] = (await once(accepted, "data")) as [Buffer];
  accepted.pause();
  assert.equal(first.toString(), "x");
  return { opened, accepted };
}

/** Unlike events.once it takes an error for what it is here, a part of the end. */
export function closeOf(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    stream.once("close", () => resolve());
  });
}

export async function endBoth(a: Duplex, b: Duplex): Promise<void> {
  a.end();
  b.end();
  await Promise.all([readAll(a), readAll(b)]);
}

export async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** How a stream ends for its reader, and what it has read by then. */
export function readToEnd(stream: LinkStream): Promise<{ readonly how: "end" | "error"; readonly bytes: number }> {
  return new Promise((resolve) => {
    let bytes = 0;
    stream.on("data", (chunk: Buffer) => (bytes += chunk.length));
    stream.once("end", () => resolve({ how: "end", bytes }));
    stream.once("close", () => resolve({ how: "error", bytes }));
    stream.resume();
  });
}

export async function hashOf(stream: Readable): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** Writes until `drain` has not come for many turns of both ends' event loops; returns how much was taken. */
export async function writeUntilStalled(stream: LinkStream): Promise<number> {
  const block = Buffer.alloc(64 * 1024);
  let written = 0;
  let silentTurns = 0;
  while (silentTurns < 2_000) {
    if (!stream.writableNeedDrain) {
      stream.write(block);
      written += block.length;
      silentTurns = 0;
      if (written > 64 * mebibyte) return written;
    }
    silentTurns += 1;
    await turn();
  }
  return written;
}

/** Waits until both ends have released every stream, for as long as there are fewer and fewer of them. */
export async function gone(pair: LinkPair): Promise<void> {
  let fewest = Number.POSITIVE_INFINITY;
  let giveUpAt = 0;
  for (;;) {
    const [relay, client] = [pair.relay.openStreams, pair.client.openStreams];
    if (relay + client === 0) return;
    if (relay + client < fewest) giveUpAt = performance.now() + 20_000;
    fewest = Math.min(fewest, relay + client);
    assert.ok(performance.now() < giveUpAt, `${relay} streams left at the relay, ${client} at the client`);
    await turn();
  }
}
