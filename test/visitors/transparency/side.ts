import type { Socket } from "node:net";
import { soon } from "@porthole/testing/end-to-end";
import type { Ended } from "./http1.ts";

const patienceMs = 10_000;

/** One end of a conversation over TCP or TLS: what has come, and how it has ended. */
export class Side {
  readonly #name: string;
  readonly #sockets: Socket[] = [];
  readonly #watchers = new Set<() => void>();
  #text = "";
  #ended: Ended = "open";
  /** Up to here has been waited for. */
  #seen = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** The newest connection is the one that is spoken on. `text` has been read from it. */
  attach(socket: Socket, text = ""): this {
    this.#sockets.push(socket);
    this.#ended = "open";
    this.#take(text);
    const over = (how: Ended) => (): void => {
      if (this.#ended === "open" && socket === this.#sockets.at(-1)) this.#ended = how;
      this.#look();
    };
    socket.on("data", (chunk: Buffer) => this.#take(chunk.toString("latin1")));
    socket.on("end", over("end")).on("error", over("reset")).on("close", over("reset"));
    return this;
  }

  get text(): string {
    return this.#text;
  }

  get ended(): Ended {
    return this.#ended;
  }

  send(text: string): void {
    this.#sockets.at(-1)?.write(text, "latin1");
  }

  end(): void {
    this.#sockets.at(-1)?.end();
  }

  leave(): void {
    const socket = this.#sockets.at(-1);
    if (!socket) return;
    if ("encrypted" in socket) socket.destroy();
    else socket.resetAndDestroy();
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Each text is looked for after the one before it. */
  sees(text: string): Promise<void> {
    return this.until(`sees ${JSON.stringify(text)}`, () => {
      const at = this.#text.indexOf(text, this.#seen);
      if (at < 0) return false;
      this.#seen = at + text.length;
      return true;
    });
  }

  until(what: string, condition: () => boolean): Promise<void> {
    const met = new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (condition()) resolve();
        else if (this.#ended !== "open" && this.#sockets.at(-1)?.destroyed) {
          const said = JSON.stringify(this.#text.slice(this.#seen, this.#seen + 300));
          reject(new Error(`${this.#name} never ${what}: its connection is over, after ${said}`));
        } else return;
        this.#watchers.delete(look);
      };
      this.#watchers.add(look);
      look();
    });
    const said = (): string =>
      `${this.#name} ${what}; after ${JSON.stringify(this.#text.slice(this.#seen).slice(0, 300))}`;
    return soon(met, said, patienceMs);
  }

  #take(text: string): void {
    this.#text += text;
    this.#look();
  }

  #look(): void {
    for (const look of this.#watchers) look();
  }
}
