import dgram from "node:dgram";
import { isIPv6 } from "node:net";
import { bindError } from "../bind-error.ts";
import type { RemoteAddress } from "../../types.ts";

/** Sends a connection's packets. */
export interface DatagramSender {
  /** An empty buffer of a full packet's size. It is the caller's until `flush`. */
  acquire(): Buffer;
  /** Sends the first `length` bytes of an acquired buffer. Never throws: a packet that can't leave is a lost packet. */
  send(packet: Buffer, length: number, to: RemoteAddress): void;
  /** Ends a burst. */
  flush(): void;
}

export interface UdpSocketOptions {
  /** IP address; "0.0.0.0" or "::" for all. */
  readonly address: string;
  readonly port: number;
  readonly packetBytes: number;
  /** `datagram` is the callee's to keep and to spoil. */
  readonly onDatagram: (datagram: Buffer, from: RemoteAddress) => void;
}

/** Holds a burst of one connection. The kernel gives as much as it allows, silently. */
const kernelBufferBytes = 4 * 1024 * 1024;
const slabPackets = 64;

/** One UDP socket. Errors of sending and receiving are counted: QUIC repeats what got lost. */
export class UdpSocket implements DatagramSender {
  readonly local: RemoteAddress;
  readonly #socket: dgram.Socket;
  readonly #packetBytes: number;
  #slab: Buffer[] = [];
  #used = 0;
  #failures = 0;
  #closed: Promise<void> | undefined;

  private constructor(socket: dgram.Socket, packetBytes: number) {
    this.#socket = socket;
    this.#packetBytes = packetBytes;
    const { address, port } = socket.address();
    this.local = { address, port };
    socket.on("error", () => {
      this.#failures += 1;
    });
  }

  /** Rejects with `address` where it can't be bound. */
  static async open(options: UdpSocketOptions): Promise<UdpSocket> {
    const family = isIPv6(options.address) ? 6 : 4;
    const socket = dgram.createSocket({
      type: family === 6 ? "udp6" : "udp4",
      // We send to IP addresses only; the default asks the resolver for each packet, and waits a tick.
      lookup: (host, _options, callback) => callback(null, host, family),
    });
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once("error", reject);
        socket.bind({ address: options.address, port: options.port, exclusive: true }, resolve);
      });
    } catch (reason) {
      socket.close();
      throw bindError(reason, `UDP ${options.address}:${options.port}`);
    }
    socket.removeAllListeners("error");
    growBuffers(socket);
    socket.on("message", options.onDatagram);
    return new UdpSocket(socket, options.packetBytes);
  }

  /** Packets that could not be sent or received, because of EPERM, ENOBUFS, ENETUNREACH and their like. */
  get failures(): number {
    return this.#failures;
  }

  acquire(): Buffer {
    if (this.#used === this.#slab.length) {
      if (this.#used === slabPackets) this.#renew();
      else this.#slab.push(Buffer.allocUnsafeSlow(this.#packetBytes));
    }
    return this.#slab[this.#used++] as Buffer;
  }

  send(packet: Buffer, length: number, to: RemoteAddress): void {
    if (this.#closed) return;
    const bytes = length === packet.length ? packet : packet.subarray(0, length);
    try {
      this.#socket.send(bytes, to.port, to.address, this.#onSent);
    } catch {
      // Node checks the port and the address before it asks the kernel.
      this.#failures += 1;
    }
  }

  flush(): void {
    this.#renew();
  }

  /** Resolves when the port is free. What has not left the machine yet is dropped. */
  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => this.#socket.close(resolve));
    return this.#closed;
  }

  /** The kernel takes nearly every packet at once; only while one waits in libuv must its buffer stay as it is. */
  #renew(): void {
    if (this.#socket.getSendQueueCount() > 0) this.#slab = [];
    this.#used = 0;
  }

  readonly #onSent = (error: Error | null): void => {
    if (error) this.#failures += 1;
  };
}

function growBuffers(socket: dgram.Socket): void {
  try {
    socket.setRecvBufferSize(kernelBufferBytes);
    socket.setSendBufferSize(kernelBufferBytes);
  } catch {
    // macOS refuses what is too much instead of cutting it; its default serves too.
  }
}
