import type { Socket } from "node:net";

/** The byte counters of a visitor's connection. */
export interface CountedSocket extends Pick<Socket, "bytesRead" | "bytesWritten"> {
  once(event: "close", listener: () => void): unknown;
}

/** Visitors and their bytes (as they travel, encrypted), of one link or of the whole relay; those under way included. */
export class Traffic {
  readonly #open = new Set<CountedSocket>();
  #visitors = 0;
  #closedIn = 0;
  #closedOut = 0;

  /** Counts the connection until it closes. */
  add(socket: CountedSocket): void {
    this.#visitors += 1;
    this.#open.add(socket);
    socket.once("close", () => {
      this.#open.delete(socket);
      this.#closedIn += socket.bytesRead;
      this.#closedOut += socket.bytesWritten;
    });
  }

  /** Visitors that are here now. */
  get open(): number {
    return this.#open.size;
  }

  /** Visitors that there ever were. */
  get visitors(): number {
    return this.#visitors;
  }

  /** Bytes from visitors. */
  get bytesIn(): number {
    let sum = this.#closedIn;
    for (const { bytesRead } of this.#open) sum += bytesRead;
    return sum;
  }

  /** Bytes to visitors. */
  get bytesOut(): number {
    let sum = this.#closedOut;
    for (const { bytesWritten } of this.#open) sum += bytesWritten;
    return sum;
  }
}
