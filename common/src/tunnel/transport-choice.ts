/** Which links a client should have with one relay. Pure: the facts come in, the answer goes out. */

export type TransportPolicy = "auto" | "quic" | "h2";

export interface ChoiceFacts {
  readonly policy: TransportPolicy;
  readonly poolSize: number;
  readonly quic: "unavailable" | "trying" | "up";
  /** QUIC has had its head start and is not up. */
  readonly headStartOver: boolean;
}

export interface WantedLinks {
  readonly quic: boolean;
  readonly http2: number;
}

/** One HTTP/2 connection is the standby while QUIC carries the traffic; the whole pool when it doesn't. */
export function wantedLinks(facts: ChoiceFacts): WantedLinks {
  switch (facts.policy) {
    case "h2":
      return { quic: false, http2: facts.poolSize };
    case "quic":
      return { quic: true, http2: 0 };
    case "auto":
      if (facts.quic === "up") return { quic: true, http2: 1 };
      if (facts.quic === "unavailable") return { quic: false, http2: facts.poolSize };
      return { quic: true, http2: facts.headStartOver ? facts.poolSize : 1 };
  }
}
