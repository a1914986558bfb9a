/**
 * What relays of one cluster tell each other. While a relay listens, it gets what another one says completely and in order; when its
 * connection breaks, it begins to listen again, and the speaker starts from the beginning (`onListener`). Nothing is kept for later.
 */
export interface Bus {
  /** Says it to every relay that listens. */
  publish(topic: string, bytes: Uint8Array): void;
  /** Says it to one relay. False when it does not listen. */
  send(to: string, topic: string, bytes: Uint8Array): boolean;
  /** Calls with what other relays say, until the function that it returns is called. */
  subscribe(topic: string, onMessage: (from: string, bytes: Buffer) => void): () => void;
  /** Calls when a relay begins to listen, each time. */
  onListener(listener: (to: string) => void): () => void;
  /** Calls when a relay can be heard, and when it can't be heard any more. */
  onSpeaker(listener: (from: string, isHeard: boolean) => void): () => void;
  /** Listens to a relay from the beginning again: it was misunderstood. */
  listenAgain(from: string): void;
}
