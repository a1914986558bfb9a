import type { Circumstances } from "./listed-differences.ts";

/** A difference that is a fault. Its cases must still fail, so whoever mends it deletes it here. */
export interface KnownFault {
  readonly fault: string;
  readonly message: Circumstances["message"];
  readonly cases: readonly string[];
  readonly visitor?: Circumstances["visitor"];
  readonly clients?: readonly string[];
}

export const knownFaults: readonly KnownFault[] = [];
