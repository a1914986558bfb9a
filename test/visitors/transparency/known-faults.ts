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

const noAnswer = [
  ...["a reset before the answer", "a cancelled stream before the answer", "a stream that ends before the answer"],
  ...["calm before the answer", "the end of the connection before the answer"],
  ...["a reset in a body with a length", "the end of the connection in the body"],
];

export const knownFaults: readonly KnownFault[] = [
  {
    fault: "A service of HTTP/2 over TLS is not reached",
    message: "request",
    services: ["h2"],
  },
  {
    fault: "A service of HTTP/2 over TLS is not reached",
    message: "answer",
    services: ["h2"],
    except: noAnswer,
  },
];
