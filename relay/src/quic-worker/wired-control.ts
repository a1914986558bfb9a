import { Duplex } from "node:stream";
import type { ControlFrame, ControlWire } from "./control-wire.ts";

/** A link's control stream as the relay has it: its part of the wire. */
export class WiredControl extends Duplex {
  readonly #wire: ControlWire;
  readonly #link: number;

  constructor(wire: ControlWire, link: number) {
    super({ allowHalfOpen: true });
    this.#wire = wire;
    this.#link = link;
    // Its user has a listener of its own; a link that nobody has taken yet must not end the process.
    this.on("error", () => {});
  }

  /** Takes bytes from the client, or the end of them. */
  receive({ kind, bytes }: ControlFrame): void {
    this.push(kind === "end" ? null : bytes);
  }

  override _read(): void {
    this.#wire.send("more", this.#link);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#wire.send("bytes", this.#link, chunk);
    done();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#wire.send("end", this.#link);
    done();
  }
}
