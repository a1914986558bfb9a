import type { Field } from "../messages.ts";

/**
 * One step of a conversation. A side that `sees` a text waits until it has come; an end that is seen is that of the
 * connection, or of the stream over HTTP/2. What is sent slowly goes byte by byte.
 */
export type Step =
  | readonly ["visitor" | "service", "sends" | "sends slowly" | "sees", string]
  | readonly ["visitor" | "service", "ends" | "leaves" | "sees the end"]
  | readonly ["visitor", "finishes the body" | "has it whole" | "has it cut"]
  | readonly ["both", "are silent"];

/** What visitor and service say to each other in turn. */
export interface TalkCase {
  /** Absent where the visitor sends raw bytes. */
  readonly request?: {
    readonly method?: string;
    readonly fields?: readonly Field[];
    /** The visitor sends a body in parts, until it `finishes the body`. */
    readonly body?: "chunked" | number;
  };
  readonly steps: readonly Step[];
  readonly only?: "HTTP/1.1" | "HTTP/2";
  /** Offered in the TLS handshake; `[]` offers nothing. */
  readonly alpn?: readonly string[];
}

export type TalkCases = Readonly<Record<string, TalkCase>>;
