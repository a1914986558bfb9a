import { GrowingBytes } from "./growing-bytes.ts";
import { invalidMessage, maxKeptMessageBytes, type Message } from "./message.ts";
import { MessageInflater } from "./message-inflater.ts";

interface Frame {
  readonly fin: boolean;
  readonly compressed: boolean;
  readonly opcode: number;
  readonly mask: Buffer | undefined;
  readonly length: number;
}

interface Assembly {
  readonly type: "text" | "binary";
  readonly compressed: boolean;
  readonly kept: GrowingBytes;
  bytes: number;
  fragments: number;
}

/** Compressed bytes of one message: all of them are needed to read it, and those after it. */
const maxCompressedBytes = 1024 * 1024;
const types: Readonly<Record<number, Message["type"]>> = { 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong" };

/** Reads one direction of a WebSocket (RFC 6455, RFC 7692) as it passes, in chunks of any size. Stops reading at what is no WebSocket frame. */
export class WebSocketReader {
  readonly #from: Message["from"];
  readonly #onMessage: (message: Message) => void;
  readonly #inflater: MessageInflater | undefined;
  #head = Buffer.alloc(0);
  #frame: Frame | undefined;
  #frameRead = 0;
  #control: Buffer[] = [];
  #assembly: Assembly | undefined;
  #isBroken = false;
  /** How many frames have been read; each takes time, however small it is. */
  frames = 0;

  /** `extensions` is the response's Sec-WebSocket-Extensions header: what both sides agreed on. */
  constructor(from: Message["from"], extensions: string, onMessage: (message: Message) => void) {
    this.#from = from;
    this.#onMessage = onMessage;
    this.#inflater = MessageInflater.for(from, extensions);
  }

  push(chunk: Uint8Array): void {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    while (rest.length > 0 && !this.#isBroken) {
      if (this.#frame) rest = this.#readPayload(this.#frame, rest);
      else rest = this.#readHead(rest);
    }
  }

  #readHead(chunk: Buffer): Buffer {
    const before = this.#head.length;
    const head = before === 0 ? chunk : Buffer.concat([this.#head, chunk.subarray(0, 14)]);
    const size = headSize(head);
    if (size === undefined || head.length < size) {
      // The chunk is only lent.
      this.#head = Buffer.from(head);
      return Buffer.alloc(0);
    }
    const frame = parseHead(head, size);
    const problem = this.#problemOf(frame, (head[0] ?? 0) & 0x30);
    if (problem !== undefined) {
      this.#isBroken = true;
      this.#onMessage(invalidMessage(this.#from, problem));
      return Buffer.alloc(0);
    }
    this.frames++;
    this.#head = Buffer.alloc(0);
    this.#frame = frame;
    this.#frameRead = 0;
    this.#begin(frame);
    const rest = chunk.subarray(size - before);
    if (frame.length === 0) this.#endFrame(frame);
    return rest;
  }

  #problemOf(frame: Frame, reserved: number): string | undefined {
    const isControl = frame.opcode >= 8;
    if (reserved !== 0) return "A frame has reserved bits set";
    if (frame.opcode !== 0 && types[frame.opcode] === undefined)
      return `A frame has the unknown opcode ${frame.opcode}`;
    if (isControl && (!frame.fin || frame.length > 125)) return "A control frame is fragmented or too long";
    if (frame.compressed && (!this.#inflater || isControl || frame.opcode === 0))
      return "A frame is compressed that can't be";
    if (frame.opcode === 0 && !this.#assembly) return "A continuation has no beginning";
    if (!isControl && frame.opcode !== 0 && this.#assembly) return "A message begins before the last one has ended";
    if (!Number.isSafeInteger(frame.length)) return "A frame's length makes no sense";
    return undefined;
  }

  #begin({ opcode, compressed }: Frame): void {
    if (opcode >= 8) this.#control = [];
    else if (opcode !== 0)
      this.#assembly = {
        type: opcode === 1 ? "text" : "binary",
        compressed,
        kept: new GrowingBytes(compressed ? maxCompressedBytes : maxKeptMessageBytes),
        bytes: 0,
        fragments: 0,
      };
  }

  #readPayload(frame: Frame, chunk: Buffer): Buffer {
    const payload = chunk.subarray(0, frame.length - this.#frameRead);
    if (frame.opcode >= 8) this.#control.push(unmask(Buffer.from(payload), frame.mask, this.#frameRead));
    else if (this.#assembly) {
      const { kept } = this.#assembly;
      const before = kept.length;
      kept.append(payload);
      unmask(kept.bytes.subarray(before), frame.mask, this.#frameRead);
    }
    this.#frameRead += payload.length;
    if (this.#frameRead === frame.length) this.#endFrame(frame);
    return chunk.subarray(payload.length);
  }

  #endFrame({ opcode, fin, length }: Frame): void {
    this.#frame = undefined;
    if (opcode >= 8) {
      this.#onMessage(controlMessage(this.#from, opcode, Buffer.concat(this.#control)));
      return;
    }
    const assembly = this.#assembly;
    if (!assembly) return;
    assembly.fragments++;
    assembly.bytes += length;
    if (!fin) return;
    this.#assembly = undefined;
    this.#onMessage(this.#message(assembly));
  }

  #message({ type, compressed, kept: { bytes: kept }, bytes, fragments }: Assembly): Message {
    const about = { from: this.#from, ...(fragments > 1 ? { fragments } : {}) };
    if (!compressed || !this.#inflater) return { ...about, type, data: kept, bytes };
    const inflated = this.#inflater.inflate(kept.length === bytes ? kept : undefined);
    if (typeof inflated === "string") return { ...invalidMessage(this.#from, inflated), ...about, compressed, bytes };
    return {
      ...about,
      type,
      compressed,
      // A copy: the rest would stay in memory with it.
      data: inflated.length > maxKeptMessageBytes ? Buffer.from(inflated.subarray(0, maxKeptMessageBytes)) : inflated,
      bytes: inflated.length,
    };
  }
}

function headSize(head: Buffer): number | undefined {
  const second = head[1];
  if (second === undefined) return undefined;
  const short = second & 0x7f;
  return 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + (second & 0x80 ? 4 : 0);
}

function parseHead(head: Buffer, size: number): Frame {
  const [first = 0, second = 0] = head;
  const short = second & 0x7f;
  const length = short === 126 ? head.readUInt16BE(2) : short === 127 ? Number(head.readBigUInt64BE(2)) : short;
  return {
    fin: (first & 0x80) !== 0,
    compressed: (first & 0x40) !== 0,
    opcode: first & 0x0f,
    mask: second & 0x80 ? Buffer.from(head.subarray(size - 4, size)) : undefined,
    length,
  };
}

function unmask(payload: Buffer, mask: Buffer | undefined, offset: number): Buffer {
  if (mask)
    for (let index = 0; index < payload.length; index++)
      payload[index] = (payload[index] ?? 0) ^ (mask[(offset + index) & 3] ?? 0);
  return payload;
}

function controlMessage(from: Message["from"], opcode: number, payload: Buffer): Message {
  const type = types[opcode] ?? "invalid";
  if (type !== "close" || payload.length < 2) return { from, type, data: payload, bytes: payload.length };
  return { from, type, data: payload.subarray(2), bytes: payload.length, closeCode: payload.readUInt16BE(0) };
}
