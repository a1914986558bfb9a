import type { Scope, Site } from "@porthole/testing/end-to-end";
import type { Protocol } from "../listed.ts";
import type { SeenAnswer } from "../messages.ts";
import type { Reader } from "../readers.ts";

/** One request, as every program can send it. */
export interface ClientVisit {
  readonly method: string;
  readonly path: string;
  /** Bytes of the body. */
  readonly upload?: number;
}

/** Where the requests go: to the service, or to its public name. */
export interface Destination {
  readonly origin: string;
  /** Absent without the tunnel. */
  readonly site?: Site;
}

/** A program that people visit with. */
export interface Client {
  readonly reader: Reader;
  readonly visitor: Protocol;
  /** Skips the test where the program is missing. */
  need(context: Mocha.Context): void | Promise<void>;
  /** The answers in the order of the visits. */
  read(scope: Scope, destination: Destination, visits: readonly ClientVisit[]): Promise<SeenAnswer[]>;
}
