/**
 * Which ids of the peer's streams have been seen. Streams may arrive out of order, and opening one opens all before it
 * (RFC 9000 section 2.1), so this is the lowest id not reached yet, and the holes below it.
 */
export class PeerStreamIds {
  readonly #holes = new Set<number>();
  #next: number;

  constructor(first: number) {
    this.#next = first;
  }

  /** True for the first question about an id of the peer's. The number of holes is bounded by the credit that the peer has. */
  isNew(id: number): boolean {
    if ((id & 3) !== (this.#next & 3)) return false;
    if (id < this.#next) return this.#holes.delete(id);
    for (; this.#next < id; this.#next += 4) this.#holes.add(this.#next);
    this.#next = id + 4;
    return true;
  }
}
