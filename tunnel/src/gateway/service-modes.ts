import { limits } from "./limits.ts";
import type { Clock } from "@porthole/common/util";
import type { SettledHeaderMode } from "./header-modes.ts";
import type { NameRefusal } from "./name-probe.ts";
import type { HeaderMode } from "./options.ts";
import type { LocalService } from "./services/local-service.ts";

/** A service that refuses the public name, for people. */
export interface LearnedMode {
  /** The local service as the user wrote it. */
  readonly service: string;
  /** Vite, Django; "The service" where it is not known. */
  readonly server: string;
}

interface Finding {
  readonly refusal: NameRefusal | undefined;
  readonly foundAt: number;
}

/** The findings of `--headers auto` about each service. A refusal that was found expires with the service's process or a change of the settings. */
export class ServiceModes {
  readonly #clock: Clock;
  readonly #findings = new Map<string, Finding>();
  readonly #running = new Map<string, Promise<boolean>>();
  readonly #onChange: (service: LocalService, refusal: NameRefusal | undefined) => void;

  /** `onChange` is called when a service is found to refuse the public name, or no longer to do so. */
  constructor(clock: Clock, onChange: (service: LocalService, refusal: NameRefusal | undefined) => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  of(service: LocalService, wanted: HeaderMode): SettledHeaderMode {
    if (wanted !== "auto") return wanted;
    return this.#findings.get(service.text)?.refusal ? "localhost" : "transparent";
  }

  /**
   * An answer looks like a refusal of the public name: resolves with whether it is one, by `probe`. Undefined when a probe has found lately that
   * it is not.
   */
  suspect(
    service: LocalService,
    path: string,
    probe: () => Promise<NameRefusal | undefined>,
  ): Promise<boolean> | undefined {
    const key = `${service.text} ${path}`;
    const running = this.#running.get(key);
    if (running) return running;
    if (this.#isFresh(this.#findings.get(service.text)) || this.#isFresh(this.#findings.get(key))) return undefined;
    const started = probe().then((refusal) => {
      this.#running.delete(key);
      this.#learn(service, key, refusal);
      return refusal !== undefined;
    });
    this.#running.set(key, started);
    return started;
  }

  /** The service's process has ended: what comes next may be another one. */
  expire(service: LocalService): void {
    const wasLearned = this.#findings.get(service.text)?.refusal !== undefined;
    for (const key of this.#findings.keys())
      if (key === service.text || key.startsWith(`${service.text} `)) this.#findings.delete(key);
    if (wasLearned) this.#onChange(service, undefined);
  }

  /** The user has chosen. */
  forget(): void {
    this.#findings.clear();
  }

  get learned(): readonly LearnedMode[] {
    return [...this.#findings].flatMap(([service, { refusal }]) =>
      refusal ? [{ service, server: refusal.server ?? "The service" }] : [],
    );
  }

  #learn(service: LocalService, key: string, refusal: NameRefusal | undefined): void {
    const before = this.#findings.get(service.text)?.refusal;
    // A refusal holds for the whole service; that a path is accepted, for this path.
    this.#findings.set(refusal ? service.text : key, { refusal, foundAt: this.#clock.monotonic() });
    if ((before === undefined) !== (refusal === undefined) && (refusal || key === service.text))
      this.#onChange(service, refusal);
  }

  #isFresh(finding: Finding | undefined): boolean {
    return finding !== undefined && this.#clock.monotonic() - finding.foundAt < limits.nameProbeHoldsMs;
  }
}
