import { PassThrough, type Transform } from "node:stream";
import zlib from "node:zlib";

export interface DecodedContent {
  readonly bytes: Buffer;
  readonly outcome: "none" | "decoded" | "damaged" | "unknown";
}

/** zstd came with Node 22.15. */
const createZstdDecompress = (zlib as { readonly createZstdDecompress?: () => Transform }).createZstdDecompress;

/** Undoes one content coding (RFC 9110, 8.4.1), or undefined when it is not known here. Cut-off input gives what is there. */
export function createDecoder(coding: string, firstByte?: number): Transform | undefined {
  switch (coding) {
    case "identity":
      return new PassThrough();
    case "gzip":
    case "x-gzip":
      return zlib.createGunzip({ finishFlush: zlib.constants.Z_SYNC_FLUSH });
    case "deflate":
      // Meant is zlib's format, but some senders leave its head away.
      return firstByte === undefined || (firstByte & 0x0f) === 8
        ? zlib.createInflate({ finishFlush: zlib.constants.Z_SYNC_FLUSH })
        : zlib.createInflateRaw({ finishFlush: zlib.constants.Z_SYNC_FLUSH });
    case "br":
      return zlib.createBrotliDecompress({ finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH });
    case "zstd":
      return createZstdDecompress?.();
    default:
      return undefined;
  }
}

/** Undoes Content-Encoding, as far as the bytes go and no further than `maxBytes`. Never rejects. */
export async function decodeContent(bytes: Buffer, contentEncoding: string, maxBytes: number): Promise<DecodedContent> {
  const codings = contentEncoding
    .toLowerCase()
    .split(",")
    .map((coding) => coding.trim())
    .filter((coding) => coding !== "" && coding !== "identity");
  let current = bytes;
  let outcome: DecodedContent["outcome"] = codings.length === 0 ? "none" : "decoded";
  // Each coding was applied to the result of the one before it.
  for (const coding of codings.toReversed()) {
    if (current.length === 0) break;
    const decoder = createDecoder(coding, current[0]);
    if (!decoder) return { bytes, outcome: "unknown" };
    const result = await run(decoder, current, maxBytes);
    if (!result.isWhole) outcome = "damaged";
    current = result.bytes;
  }
  return { bytes: current, outcome };
}

function run(decoder: Transform, bytes: Buffer, maxBytes: number): Promise<{ bytes: Buffer; isWhole: boolean }> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (isWhole: boolean): void => {
      decoder.destroy();
      resolve({ bytes: Buffer.concat(chunks).subarray(0, maxBytes), isWhole });
    };
    decoder.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > maxBytes) finish(false);
    });
    decoder.on("end", () => finish(true));
    decoder.on("error", () => finish(false));
    decoder.end(bytes);
  });
}
