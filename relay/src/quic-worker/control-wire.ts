import type { Socket } from "node:net";

/** A message between the two processes about a link's control stream. */
export interface ControlFrame {
  /** `more` asks for the next piece of what the client has said: without it none comes. */
  readonly kind: "bytes" | "end" | "more";
  readonly link: number;
  readonly bytes: Buffer;
}

const kinds = ["bytes", "end", "more"] as const;
/** Kind, link and length of what follows, big-endian. */
const headerBytes = 1 + 4 + 4;
const nothing = Buffer.alloc(0);

/**
 * The control streams of all links over one local socket between the relay and its QUIC worker: an idle link has nothing else, and a
 * socket of its own for each would be a third of what it costs.
 */
export class ControlWire {
  readonly #socket: Socket;
  readonly #onFrame: (frame: ControlFrame) => void;
  /** The beginning of a frame. */
  #rest: Buffer = nothing;

  /** Takes the socket over. `head`: what has been read of it already. That it breaks off is for others to find out: a process has died. */
  constructor(socket: Socket, onFrame: (frame: ControlFrame) => void, head: Buffer = nothing) {
    this.#socket = socket;
    this.#onFrame = onFrame;
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    if (head.length > 0) this.#receive(head);
  }

  send(kind: ControlFrame["kind"], link: number, bytes: Buffer = nothing): void {
    if (!this.#socket.writable) return;
    const frame = Buffer.allocUnsafe(headerBytes + bytes.length);
    frame.writeUInt8(kinds.indexOf(kind), 0);
    frame.writeUInt32BE(link, 1);
    frame.writeUInt32BE(bytes.length, 5);
    frame.set(bytes, headerBytes);
    this.#socket.write(frame);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (data.length >= headerBytes) {
      const end = headerBytes + data.readUInt32BE(5);
      if (data.length < end) break;
      const kind = kinds[data.readUInt8(0)];
      if (kind) this.#onFrame({ kind, link: data.readUInt32BE(1), bytes: data.subarray(headerBytes, end) });
      data = data.subarray(end);
    }
    this.#rest = data;
  }
}
