import { join } from "node:path";
import { PortholeError } from "../errors.ts";
import { parseFingerprint } from "../identity/index.ts";
import type { HostPort } from "../options/index.ts";
import { readJson, Secret, writeJson } from "../util/index.ts";
import type { Invite } from "./invite.ts";

/** A relay that is used without being named; mostly somebody invited us to it. */
export interface JoinedRelay extends HostPort {
  readonly pin?: string | undefined;
  /** The user's name for it. */
  readonly label?: string | undefined;
  /** Directory of the certificate authority that the invite named, which its user has agreed to; Let's Encrypt when absent. */
  readonly certificateDirectory?: string | undefined;
  /** Until it has been used. */
  readonly token?: Secret | undefined;
}

/** The relays that are used when none is named, kept in the state folder. */
export class JoinedRelays {
  readonly #path: string;
  #relays: readonly JoinedRelay[];
  /** Changes are made one after the other. */
  #turn: Promise<void> = Promise.resolve();

  private constructor(path: string, relays: readonly JoinedRelay[]) {
    this.#path = path;
    this.#relays = relays;
  }

  /** Rejects with `state` when the file is damaged. */
  static async open(stateDir: string): Promise<JoinedRelays> {
    const path = join(stateDir, "joined-relays.json");
    return new JoinedRelays(path, await read(path));
  }

  get all(): readonly JoinedRelay[] {
    return this.#relays;
  }

  find(server: HostPort): JoinedRelay | undefined {
    return this.#relays.find((relay) => isSame(relay, server));
  }

  /** Adds a relay, or replaces what was known about it. */
  async add(relay: JoinedRelay): Promise<void> {
    await this.#change((relays) => [...relays.filter((each) => !isSame(each, relay)), relay]);
  }

  async join({ relay, ...invite }: Invite): Promise<void> {
    await this.add({ ...relay, ...invite });
  }

  /** Returns whether it was there. */
  async remove(server: HostPort): Promise<boolean> {
    let wasThere = false;
    await this.#change((relays) => {
      wasThere = relays.some((each) => isSame(each, server));
      return relays.filter((each) => !isSame(each, server));
    });
    return wasThere;
  }

  /** The relay knows our key now. */
  async forgetToken(server: HostPort): Promise<void> {
    await this.#change((relays) => relays.map((each) => (isSame(each, server) ? { ...each, token: undefined } : each)));
  }

  /** Changes what is on disk by now: `porthole join` may have written beside a running client. */
  #change(change: (relays: readonly JoinedRelay[]) => readonly JoinedRelay[]): Promise<void> {
    const changed = this.#turn.then(async () => {
      this.#relays = change(await read(this.#path));
      const relays = this.#relays.map(({ token, ...relay }) => ({ ...relay, token: token?.reveal() }));
      await writeJson(this.#path, { relays });
    });
    this.#turn = changed.catch(() => {});
    return changed;
  }
}

async function read(path: string): Promise<readonly JoinedRelay[]> {
  return (await readJson(path, readRelays)) ?? [];
}

/** The relays of a file. Throws `state`. */
export function readRelays(value: unknown): JoinedRelay[] {
  const { relays } = Object(value) as { readonly relays?: unknown };
  if (!Array.isArray(relays)) throw new PortholeError("state", "it has no list of relays");
  return relays.map((relay: unknown) => {
    const { host, port, pin, token, label, certificateDirectory } = Object(relay) as {
      readonly [key: string]: unknown;
    };
    const areTexts = [pin, token, label, certificateDirectory].every(
      (text) => text === undefined || typeof text === "string",
    );
    if (typeof host !== "string" || typeof port !== "number" || !areTexts)
      throw new PortholeError("state", "an entry is not a relay");
    return {
      host,
      port,
      ...(pin === undefined ? {} : { pin: parseFingerprint(pin as string) }),
      ...(token === undefined ? {} : { token: new Secret(token as string) }),
      ...(label === undefined ? {} : { label: label as string }),
      ...(certificateDirectory === undefined ? {} : { certificateDirectory: certificateDirectory as string }),
    };
  });
}

function isSame(one: HostPort, other: HostPort): boolean {
  return one.host === other.host && one.port === other.port;
}
