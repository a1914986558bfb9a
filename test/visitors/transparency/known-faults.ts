import type { Circumstances } from "./listed.ts";

/** A difference that is a fault. Its cases must still fail, so the change that corrects it also deletes it here. */
export interface KnownFault {
  readonly fault: string;
  readonly message: Circumstances["message"];
  /** All of the service when absent. */
  readonly cases?: readonly string[];
  readonly except?: readonly string[];
  readonly visitor?: Circumstances["visitor"];
  readonly services?: readonly Circumstances["service"][];
  /** Whether it shows is a race, so its cases may also pass. */
  readonly isChance?: true;
  readonly clients?: readonly Circumstances["client"][];
}

export const knownFaults: readonly KnownFault[] = [];
