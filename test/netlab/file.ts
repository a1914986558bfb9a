import { createHash } from "node:crypto";

/** So many bytes, always the same, of which no two packets are alike. */
export function fileBytes(length: number): Buffer {
  const blockBytes = 1_000;
  const blocks = Array.from({ length: Math.ceil(length / blockBytes) }, (_each, index) =>
    createHash("shake256", { outputLength: blockBytes }).update(String(index)).digest(),
  );
  return Buffer.concat(blocks, length);
}

export function fileHash(length: number): string {
  return sha256(fileBytes(length));
}

export function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
