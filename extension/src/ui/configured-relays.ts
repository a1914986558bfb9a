import { ThemeIcon, type TreeItem } from "vscode";
import { describeRelay, endpointOf, type Controller, type Described, type Relay } from "../controller/index.ts";
import { items } from "../manifest/index.ts";
import { t } from "../text.ts";

/** Prefix of the ids of the tree's rows for relays in the settings, before the address. */
export const configured = "configured ";
export type ConfiguredPart = `configured ${string}`;

export function configuredPart(address: string): ConfiguredPart {
  return `configured ${address}`;
}

/** The relay that a row of the tree is about. */
export function configuredRelay({ state }: Controller, argument: unknown): Relay | undefined {
  const { part } = (argument ?? {}) as { readonly part?: unknown };
  if (typeof part !== "string" || !part.startsWith(configured)) return undefined;
  return state.relays.find(({ address }) => configuredPart(address) === part);
}

/** A row of a relay in the settings. Its state is that of the first port that uses it. */
export function configuredItem(controller: Controller, part: string): { -readonly [K in keyof TreeItem]: TreeItem[K] } {
  const relay = configuredRelay(controller, { part });
  if (!relay) return {};
  const { address, label, fingerprint } = relay;
  const state = stateOf(controller, address);
  return {
    label: label ?? address,
    description: [...(label === undefined ? [] : [address]), ...(state ? [state.text] : [])].join(" · "),
    iconPath: new ThemeIcon(state?.kind === "bad" ? "warning" : "server"),
    tooltip: [
      address,
      state?.text,
      state?.detail,
      fingerprint === undefined ? undefined : t("Key fingerprint: {0}", fingerprint),
    ]
      .filter(Boolean)
      .join("\n"),
    contextValue: items.configured,
  };
}

function stateOf({ state }: Controller, address: string): Described | undefined {
  for (const exposure of state.exposures) {
    const relay = endpointOf(exposure)?.relays.find((each) => each.address === address);
    if (exposure.phase === "on" && relay) return describeRelay(relay.now, Date.now(), exposure.toldAt);
  }
  return undefined;
}
