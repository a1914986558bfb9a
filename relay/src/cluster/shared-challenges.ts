import type { SecureContext } from "node:tls";
import { Challenges, type ChallengeAnswer, type ChallengeCertificate } from "@porthole/common/acme";
import { PortholeError } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import type { Clock } from "@porthole/common/util";
import type { Bus } from "./bus.ts";
import { limits } from "./limits.ts";

const topic = "challenge";
const knownTopic = "challenge-known";

interface Announced extends Partial<ChallengeCertificate> {
  readonly name: string;
}

export interface SharedChallengesOptions {
  readonly bus: Bus & { readonly listeners: readonly string[] };
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Challenges for the name that all relays have: an authority's validators may come to any of them, so each knows the challenges of all.
 * What is published is known to the others before the authority is asked to look.
 */
export class SharedChallenges implements ChallengeAnswer {
  readonly #options: SharedChallengesOptions;
  readonly #challenges = new Challenges();
  /** This relay's own. */
  readonly #own = new Map<string, ChallengeCertificate>();
  /** Names that relays are known to have, as `NODE NAME`, while somebody waits. */
  readonly #waiting = new Set<(node: string, name: string) => void>();

  constructor(options: SharedChallengesOptions) {
    this.#options = options;
    const { bus } = options;
    bus.subscribe(topic, (from, bytes) => this.#hear(from, bytes));
    bus.subscribe(knownTopic, (from, bytes) => {
      for (const waiting of this.#waiting) waiting(from, bytes.toString());
    });
    bus.onListener((to) => {
      for (const [name, certificate] of this.#own) bus.send(to, topic, encode({ name, ...certificate }));
    });
  }

  find(name: string): SecureContext | undefined {
    return this.#challenges.find(name);
  }

  /** Resolves when the relays that listen know it, or when they had time to. */
  async publish(name: string, certificate: ChallengeCertificate): Promise<void> {
    const { bus, clock } = this.#options;
    this.#challenges.publish(name, certificate);
    this.#own.set(name, certificate);
    const missing = new Set(bus.listeners);
    if (missing.size === 0) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        timer.cancel();
        this.#waiting.delete(onKnown);
        resolve();
      };
      const onKnown = (node: string, known: string): void => {
        if (known === name && missing.delete(node) && missing.size === 0) done();
      };
      const timer = clock.timer(limits.challengeMs, done);
      this.#waiting.add(onKnown);
      bus.publish(topic, encode({ name, ...certificate }));
    });
  }

  withdraw(name: string): void {
    this.#challenges.withdraw(name);
    this.#own.delete(name);
    this.#options.bus.publish(topic, encode({ name }));
  }

  #hear(from: string, bytes: Buffer): void {
    const { bus, log } = this.#options;
    const { name, certificate, key } = decode(bytes);
    // A relay orders one certificate at a time, and its own challenge is newer than what it has told.
    if (this.#own.has(name)) return;
    if (certificate === undefined || key === undefined) return this.#challenges.withdraw(name);
    try {
      this.#challenges.publish(name, { certificate, key });
    } catch (reason) {
      return log.warn(
        { relay: from, name },
        `A relay's challenge can't be used: ${PortholeError.from(reason).message}`,
      );
    }
    bus.send(from, knownTopic, Buffer.from(name));
  }
}

function encode(announced: Announced): Buffer {
  return Buffer.from(JSON.stringify(announced));
}

function decode(bytes: Buffer): Announced {
  let value: Partial<Record<keyof Announced, unknown>>;
  try {
    value = Object(JSON.parse(bytes.toString())) as typeof value;
  } catch (cause) {
    throw new PortholeError("protocol", "A relay's challenge is not JSON", { cause });
  }
  const { name, certificate, key } = value;
  if (typeof name !== "string") throw new PortholeError("protocol", "A relay's challenge is for no name");
  return typeof certificate === "string" && typeof key === "string" ? { name, certificate, key } : { name };
}
