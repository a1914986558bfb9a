import { PortholeError } from "@porthole/common/errors";
import type { DaemonConnection, RelaySpec } from "@porthole/tunnel/rpc";
import { t } from "../text.ts";
import type { Keys } from "./keys.ts";
import type { Relay, Settings } from "./host.ts";

/** Port of a trial relay's URL, if it is free. */
const defaultTrialPort = 8443;

/** Which relays ports are exposed on: those of the settings, or the one inside the daemon's process. */
export class RelayList {
  /** The relay of this machine, for trying things out, serves instead of the configured ones. */
  isTrial = false;
  readonly #settings: Settings;
  readonly #keys: Keys;
  /** The same one after the daemon has died: it is part of the URL. */
  #trialPort = defaultTrialPort;

  constructor(settings: Settings, keys: Keys) {
    this.#settings = settings;
    this.#keys = keys;
  }

  /** The usable entries of the setting, which users write by hand. */
  get configured(): readonly Relay[] {
    return this.#written.flatMap((each) => readRelay(each) ?? []);
  }

  /** Throws `usage` when something in the setting is no relay. */
  check(): void {
    const value: unknown = this.#settings.get("porthole.relays");
    const wrong = this.#written.findIndex((each) => !readRelay(each));
    if (Array.isArray(value) && wrong < 0) return;
    const what = wrong < 0 ? t("it is not a list") : t("entry {0} is not a relay", wrong + 1);
    throw new PortholeError("usage", t("The setting porthole.relays is wrong: {0}", what), {
      hint: t("Each entry is an object with an address (host:port) and, if you have it, a fingerprint."),
    });
  }

  get #written(): readonly unknown[] {
    const value: unknown = this.#settings.get("porthole.relays");
    return Array.isArray(value) ? value : [];
  }

  /** Nothing is lost of what was written for others, right or wrong. */
  #without(address: string): readonly Relay[] {
    return this.#written.filter((each) => readRelay(each)?.address !== address) as readonly Relay[];
  }

  /** Remembered for every window. One with the same address is replaced. */
  async add({ token, ...relay }: RelaySpec): Promise<void> {
    if (token !== undefined) await this.#keys.keepToken({ ...relay, token });
    await this.#settings.set("porthole.relays", [...this.#without(relay.address), relay]);
  }

  async label(address: string, label: string): Promise<void> {
    const labelled = this.#written.map((each) => {
      const relay = readRelay(each);
      if (relay?.address !== address) return each;
      const { label: _before, ...others } = relay;
      return label === "" ? others : { ...others, label };
    });
    await this.#settings.set("porthole.relays", labelled as readonly Relay[]);
  }

  async remove(address: string): Promise<void> {
    await this.#settings.set("porthole.relays", this.#without(address));
    await this.#keys.forgetToken(address);
  }

  /** As the daemon takes them, with tokens that are not used yet. */
  async forTunnels(daemon: DaemonConnection): Promise<readonly RelaySpec[]> {
    if (!this.isTrial) {
      this.check();
      return Promise.all(this.configured.map((relay) => this.#keys.withToken(relay)));
    }
    const { relay, publicPort } = await daemon.call("trialRelay/start", { publicPort: this.#trialPort });
    this.#trialPort = publicPort;
    return [relay];
  }
}

function readRelay(value: unknown): Relay | undefined {
  const { address, ...rest } = (value ?? {}) as Partial<Record<keyof Relay, unknown>>;
  if (typeof address !== "string") return undefined;
  const texts = (["fingerprint", "label", "certificateDirectory"] as const).flatMap((name) =>
    rest[name] === undefined ? [] : [[name, rest[name]] as const],
  );
  return texts.every(([, text]) => typeof text === "string") ? { address, ...Object.fromEntries(texts) } : undefined;
}
