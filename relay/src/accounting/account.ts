import type { Duplex } from "node:stream";
import type { LinkStream } from "@porthole/common/link";
import type { Clock } from "@porthole/common/util";
import { Traffic } from "../monitoring/traffic.ts";
import { Bandwidth } from "./bandwidth.ts";
import { ThrottledStream } from "./throttled-stream.ts";

/** The traffic of one owner's visitors, over all links of its clients. */
export class Account {
  readonly traffic = new Traffic();
  /** The operator's label for the owner, or its client id. */
  readonly label: string;
  readonly #bandwidth: Bandwidth;
  readonly #clock: Clock;
  /** Bytes that have been accounted for already. */
  #settledIn = 0;
  #settledOut = 0;

  /** `bytesPerSecond` is asked each time; 0 is no limit. */
  constructor(label: string, clock: Clock, bytesPerSecond: () => number) {
    this.label = label;
    this.#clock = clock;
    this.#bandwidth = new Bandwidth(clock, bytesPerSecond);
  }

  /** The stream as the owner's bandwidth lets it through. The caller closes what is returned, and nothing else. */
  throttled(stream: LinkStream): Duplex {
    return this.#bandwidth.isLimited ? new ThrottledStream(stream, this.#bandwidth, this.#clock) : stream;
  }

  /** Bytes since the last call. */
  settle(): { readonly bytesIn: number; readonly bytesOut: number } {
    const { bytesIn, bytesOut } = this.traffic;
    const news = { bytesIn: bytesIn - this.#settledIn, bytesOut: bytesOut - this.#settledOut };
    this.#settledIn = bytesIn;
    this.#settledOut = bytesOut;
    return news;
  }
}
