import { PortholeError } from "@porthole/common/errors";
import type { Exposure } from "./exposure.ts";
import type { PortTarget } from "../ports/index.ts";

/** The ports of this window, in the order in which they were exposed first. Calls back after each change. */
export class ExposureList {
  readonly #onChange: () => void;
  #all: readonly Exposure[] = [];

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get all(): readonly Exposure[] {
    return this.#all;
  }

  /** The ports that this window exposes. */
  get on(): readonly Exposure[] {
    return this.#all.filter(({ phase }) => phase === "on");
  }

  find(id: string): Exposure | undefined {
    return this.#all.find((each) => each.id === id);
  }

  /** Throws `usage` for a port that is not in the list. */
  known(id: string): Exposure {
    const exposure = this.find(id);
    if (!exposure) throw new PortholeError("usage", "This port is not in the list any more");
    return exposure;
  }

  /** Replaces the port with the same id, or adds it at the end. */
  put(exposure: Exposure): void {
    const isNew = !this.find(exposure.id);
    this.set(isNew ? [...this.#all, exposure] : this.#all.map((each) => (each.id === exposure.id ? exposure : each)));
  }

  remove(id: string): void {
    this.set(this.#all.filter((each) => each.id !== id));
  }

  set(exposures: readonly Exposure[]): void {
    this.#all = exposures;
    this.#onChange();
  }
}

/** Returns a port without any knowledge about it. */
export function blank(id: string, target: PortTarget): Exposure {
  return {
    id,
    target,
    secondary: undefined,
    phase: "off",
    tunnel: undefined,
    error: undefined,
    lastVisitAt: undefined,
  };
}
