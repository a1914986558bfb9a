import { createHash } from "node:crypto";

const blockBytes = 1_000;
/** At once: the hash costs a millisecond then, and nobody else waits for long. */
const blocksAtOnce = 64;

/** Yields `length` bytes, always the same, without two packets that are alike. */
export function* fileBlocks(length: number): Generator<Buffer> {
  for (let index = 0; index * blockBytes < length; index += blocksAtOnce) {
    const blocks = Array.from({ length: blocksAtOnce }, (_each, more) =>
      createHash("shake256", { outputLength: blockBytes })
        .update(String(index + more))
        .digest(),
    );
    yield Buffer.concat(blocks, Math.min(blocksAtOnce * blockBytes, length - index * blockBytes));
  }
}

export function fileBytes(length: number): Buffer {
  return Buffer.concat([...fileBlocks(length)]);
}

export function fileHash(length: number): string {
  return sha256(fileBytes(length));
}

export function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
