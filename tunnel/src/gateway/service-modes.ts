import type { SettledHeaderMode } from "./header-modes.ts";
import type { LocalService } from "./services/local-service.ts";
import type { HeaderMode } from "./options.ts";

/** A service that refuses the public name, as one would tell the user. */
export interface LearnedMode {
  /** The local service as the user wrote it. */
  readonly service: string;
  /** Vite, Django. */
  readonly server: string;
}

/** What `--headers auto` has found out about each service. */
export class ServiceModes {
  readonly #learned = new Map<string, LearnedMode>();

  of(service: LocalService, wanted: HeaderMode): SettledHeaderMode {
    if (wanted !== "auto") return wanted;
    return this.#learned.has(service.text) ? "localhost" : "transparent";
  }

  /** False when that was known. */
  learn(service: LocalService, server: string): boolean {
    if (this.#learned.has(service.text)) return false;
    this.#learned.set(service.text, { service: service.text, server });
    return true;
  }

  /** Somebody has chosen anew. */
  forget(): void {
    this.#learned.clear();
  }

  get learned(): readonly LearnedMode[] {
    return [...this.#learned.values()];
  }
}
