import type { Socket } from "node:net";
import { soon } from "@porthole/testing/end-to-end";
import type { Field } from "./messages.ts";

/** Types and flags of frames (RFC 9113 6). */
const type = { data: 0, headers: 1, reset: 3, settings: 4, goAway: 7 } as const;
const endStream = 1;
const endHeaders = 4;
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/** The peer compresses without a table of its own, so a status can be read alone. */
const noTable = Buffer.from([0, 1, 0, 0, 0, 0]);

/** One request in frames that no client of ours would send. */
export interface FrameRequest {
  readonly head: readonly Field[];
  readonly body?: string | undefined;
  readonly trailers?: readonly Field[] | undefined;
}

/** What comes of it: the status of an answer, or a reset. The connection ends with it. */
export async function sendFrames(socket: Socket, { head, body, trailers }: FrameRequest): Promise<number | "reset"> {
  socket.write(preface, "latin1");
  socket.write(frame(type.settings, 0, 0, noTable));
  const last = body === undefined && !trailers ? endStream : 0;
  socket.write(frame(type.headers, endHeaders | last, 1, block(head)));
  if (body !== undefined) socket.write(frame(type.data, trailers ? 0 : endStream, 1, Buffer.from(body, "latin1")));
  if (trailers) socket.write(frame(type.headers, endHeaders | endStream, 1, block(trailers)));
  try {
    return await soon(outcome(socket), "an answer or a reset", 20_000);
  } finally {
    socket.destroy();
  }
}

function outcome(socket: Socket): Promise<number | "reset"> {
  let bytes = Buffer.alloc(0);
  return new Promise((resolve) => {
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= 9) {
        const size = bytes.readUIntBE(0, 3);
        if (bytes.length < 9 + size) return;
        const [kind, stream] = [bytes[3], bytes.readUInt32BE(5)];
        const content = bytes.subarray(9, 9 + size);
        bytes = bytes.subarray(9 + size);
        if (kind === type.goAway || (kind === type.reset && stream === 1)) resolve("reset");
        else if (kind === type.headers && stream === 1) resolve(statusIn(content));
      }
    });
    socket.on("close", () => resolve("reset"));
  });
}

function frame(kind: number, flags: number, stream: number, content: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(content.length, 0, 3);
  head[3] = kind;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, content]);
}

/** Fields as literals that are not indexed (RFC 7541 6.2.2). */
function block(fields: readonly Field[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]));
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  const size =
    bytes.length < 127 ? [bytes.length] : [127, ((bytes.length - 127) & 127) | 128, (bytes.length - 127) >> 7];
  return Buffer.concat([Buffer.from(size), bytes]);
}

/** The statuses of the static table (RFC 7541 A), from index 8. */
const statuses = [200, 204, 206, 304, 400, 404, 500] as const;
/** Codes of the digits (RFC 7541 B): 0 to 2 have five bits, the others six. */
const digits = ["00000", "00001", "00010", "011001", "011010", "011011", "011100", "011101", "011110", "011111"];

/** The first field of an answer is its status. */
function statusIn(content: Buffer): number {
  // Changes of the table's size come before it.
  let at = 0;
  while (((content[at] ?? 0) & 0xe0) === 0x20) at += 1;
  const first = content[at] ?? 0;
  if (first & 0x80) return statuses[(first & 0x7f) - 8] ?? 0;
  const size = content[at + 1] ?? 0;
  const value = content.subarray(at + 2, at + 2 + (size & 0x7f));
  if (!(size & 0x80)) return Number(value.toString("latin1"));
  let bits = [...value].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  let text = "";
  while (text.length < 3) {
    const digit = digits.findIndex((code) => bits.startsWith(code));
    text += String(digit);
    bits = bits.slice(digits[digit]?.length ?? bits.length);
  }
  return Number(text);
}
