import type { AgentConnection, RelaySpec } from "@porthole/common/rpc";
import type { Keys } from "./keys.ts";
import type { Relay, Settings } from "./ports.ts";

/** What a trial relay's URL has, if it is free. */
const defaultTrialPort = 8443;

/** Which relays ports are exposed on: those of the settings, or the one inside the agent's process. */
export class RelayList {
  /** The relay of this machine, for trying things out, serves instead of the configured ones. */
  isTrial = false;
  readonly #settings: Settings;
  readonly #keys: Keys;
  /** The same one after the agent has died: it is part of the URL. */
  #trialPort = defaultTrialPort;

  constructor(settings: Settings, keys: Keys) {
    this.#settings = settings;
    this.#keys = keys;
  }

  get configured(): readonly Relay[] {
    return this.#settings.get("porthole.relays");
  }

  /** Remembered for every window. One with the same address is replaced. */
  async add({ token, ...relay }: RelaySpec): Promise<void> {
    if (token !== undefined) await this.#keys.keepToken({ ...relay, token });
    const others = this.configured.filter(({ address }) => address !== relay.address);
    await this.#settings.set("porthole.relays", [...others, relay]);
    this.isTrial = false;
  }

  async remove(address: string): Promise<void> {
    const others = this.configured.filter((each) => each.address !== address);
    await this.#settings.set("porthole.relays", others);
    await this.#keys.forgetToken(address);
  }

  /** As the agent takes them, with tokens that are not used yet. */
  async forTunnels(agent: AgentConnection): Promise<readonly RelaySpec[]> {
    if (!this.isTrial) return Promise.all(this.configured.map((relay) => this.#keys.withToken(relay)));
    const { relay, publicPort } = await agent.call("trialRelay/start", { publicPort: this.#trialPort });
    this.#trialPort = publicPort;
    return [relay];
  }
}
