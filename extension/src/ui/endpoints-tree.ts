import {
  EventEmitter,
  MarkdownString,
  ThemeIcon,
  TreeItemCollapsibleState,
  window,
  type Disposable,
  type TreeDataProvider,
  type TreeItem,
} from "vscode";
import {
  describeAccess,
  describeCertificate,
  describeExposure,
  describeRelay,
  endpointOf,
  nameOf,
  relayUrlsOf,
  urlOf,
  type Controller,
  type Described,
  type Exposure,
} from "../controller/index.ts";
import { items, type CommandId } from "../manifest/index.ts";
import { t } from "../text.ts";
import { configured, configuredItem, configuredPart, type ConfiguredPart } from "./configured-relays.ts";
import { stateIcon } from "./icons.ts";
import type { ExposureItem } from "./context.ts";

/** An element of the tree says which port it belongs to, so that every command can act on it. Those of no port have no id of one. */
interface Node extends ExposureItem {
  readonly part:
    | ("trial" | "expose" | "relays" | ConfiguredPart)
    | ("access" | "endpoint" | "secondary" | `relay ${string}` | `certificate ${string}` | "local");
}

/** The Endpoints view: ports, and what belongs to each. */
export function endpointsTree(controller: Controller, onSelect: (exposureId: string) => void): Disposable {
  const changed = new EventEmitter<Node | undefined>();
  const provider: TreeDataProvider<Node> = {
    onDidChangeTreeData: changed.event,
    getChildren: (node) => (node ? childrenOf(controller, node) : roots(controller)),
    getTreeItem: (node) => itemOf(controller, node),
    getParent: ({ exposureId, part }) => {
      if (exposureId === "") return part.startsWith(configured) ? { exposureId, part: "relays" } : undefined;
      return part === "endpoint" ? undefined : { exposureId, part: "endpoint" };
    },
  };
  const view = window.createTreeView("porthole.endpoints", { treeDataProvider: provider, showCollapseAll: true });
  const off = controller.onChange(() => changed.fire(undefined));
  const selected = view.onDidChangeSelection(({ selection: [node] }) => {
    if (node && node.exposureId !== "") onSelect(node.exposureId);
  });
  return {
    dispose() {
      off();
      selected.dispose();
      view.dispose();
      changed.dispose();
    },
  };
}

function roots({ state: { isTrial, exposures, relays } }: Controller): Node[] {
  // The view has its own words for users without a relay.
  if (!isTrial && exposures.length === 0 && relays.length === 0) return [];
  const ofNoPort = (part: Node["part"]): Node => ({ exposureId: "", part });
  return [
    ...(isTrial ? [ofNoPort("trial")] : []),
    ...exposures.map(({ id }): Node => ({ exposureId: id, part: "endpoint" })),
    ...(exposures.length === 0 ? [ofNoPort("expose")] : []),
    ...(relays.length > 0 ? [ofNoPort("relays")] : []),
  ];
}

function childrenOf(controller: Controller, { exposureId, part }: Node): Node[] {
  if (part === "relays")
    return controller.state.relays.map(({ address }): Node => ({ exposureId: "", part: configuredPart(address) }));
  const exposure = controller.find(exposureId);
  if (!exposure || part !== "endpoint" || exposure.phase !== "on") return [];
  const endpoint = endpointOf(exposure);
  const parts: Node["part"][] = [
    ...(exposure.secondary ? (["secondary"] as const) : []),
    ...(endpoint?.relays ?? []).map(({ address }) => `relay ${address}` as const),
    ...(endpoint?.certificates ?? []).map(({ hostname }) => `certificate ${hostname}` as const),
    "access",
    ...(endpoint ? (["local"] as const) : []),
  ];
  return parts.map((each) => ({ exposureId, part: each }));
}

/** A tree item as data: the editor's class of the same name has nothing more. */
type Item = { -readonly [K in keyof TreeItem]: TreeItem[K] };

function itemOf(controller: Controller, { exposureId, part }: Node): TreeItem {
  const id = `${exposureId} ${part}`;
  if (exposureId === "") return { ...withName(itemOfNoPort(controller, part)), id };
  const exposure = controller.find(exposureId);
  return exposure ? { ...withName(partItem(controller, exposure, part)), id } : { id };
}

/** A screen reader reads a row's tooltip instead of its label, unless it is told the whole. */
function withName(item: Item): Item {
  const { label, description, accessibilityInformation } = item;
  if (accessibilityInformation || typeof label !== "string") return item;
  const text = typeof description === "string" && description !== "" ? `${label}, ${description}` : label;
  return { ...item, accessibilityInformation: { label: text } };
}

function itemOfNoPort(controller: Controller, part: Node["part"]): Item {
  switch (part) {
    case "trial":
      return {
        label: t("Trial mode"),
        description: t("this machine only"),
        iconPath: new ThemeIcon("beaker"),
        tooltip:
          controller.relays.configured.length > 0
            ? t("URLs work in browsers on this machine only. Use My Relays makes ports public again.")
            : t("URLs work in browsers on this machine only. Join a relay to get public ones."),
        contextValue: items.trial,
      };
    case "expose":
      return {
        label: t("Expose a Port…"),
        iconPath: new ThemeIcon("broadcast"),
        command: { command: "porthole.expose" satisfies CommandId, title: t("Expose a Port…") },
      };
    case "relays":
      return {
        label: t("Relays"),
        description: controller.state.isTrial ? t("not used in trial mode") : "",
        iconPath: new ThemeIcon("server"),
        contextValue: items.relays,
        collapsibleState: TreeItemCollapsibleState.Collapsed,
      };
    default:
      return configuredItem(controller, part);
  }
}

function partItem(controller: Controller, exposure: Exposure, part: Node["part"]): Item {
  const now = Date.now();
  const endpoint = endpointOf(exposure);
  const [kind, name = ""] = part.split(" ", 2);
  switch (kind) {
    case "endpoint": {
      const state = describeExposure(exposure, controller.state.daemon, now);
      const url = urlOf(exposure);
      return {
        label: nameOf(exposure),
        // The state first: the URL does not fit into a narrow panel, and can be copied.
        description: [
          state.next === undefined ? state.text : `${state.text}, ${state.next}`,
          ...(exposure.phase === "on" && controller.state.isTrial ? [t("trial")] : []),
          ...(url === undefined || exposure.phase !== "on" ? [] : [new URL(url).host]),
        ].join(" · "),
        iconPath: stateIcon(state.kind),
        tooltip: tooltipOf([nameOf(exposure), url, endpoint && describeAccess(endpoint.gateway.access, now)], state),
        contextValue: kindOf(exposure, state),
        collapsibleState: exposure.phase === "on" ? TreeItemCollapsibleState.Collapsed : TreeItemCollapsibleState.None,
        accessibilityInformation: { label: [nameOf(exposure), url, state.text].filter(Boolean).join(", ") },
      };
    }
    case "secondary": {
      const url = urlOf(exposure, "secondary");
      return {
        label: t("Second URL"),
        description: url === undefined ? t("connecting") : new URL(url).host,
        iconPath: new ThemeIcon("git-branch"),
        tooltip: [url, t("For clients that pin a certificate; opens {0}", exposure.secondary?.local ?? "")]
          .filter(Boolean)
          .join("\n"),
        contextValue: items.secondary,
      };
    }
    case "relay": {
      const relay = endpoint?.relays.find(({ address }) => address === name);
      const state: Described = relay ? describeRelay(relay.now, now, exposure.toldAt) : { kind: "busy", text: "" };
      const rtt =
        relay?.now.status === "online" && relay.now.rttMs !== undefined ? ` · ${Math.round(relay.now.rttMs)} ms` : "";
      const host = relayUrlsOf(exposure).find(({ address }) => address === name)?.url;
      const several = (endpoint?.relays.length ?? 0) > 1 && host !== undefined ? ` · ${new URL(host).host}` : "";
      const next = state.next === undefined ? "" : `, ${state.next}`;
      return {
        label: t("Relay {0}", name),
        description: `${state.text}${next}${rtt}${several}`,
        iconPath: new ThemeIcon(state.kind === "bad" ? "warning" : "server"),
        tooltip: [host, state.text, state.detail].filter(Boolean).join("\n"),
        ...(host === undefined ? {} : { contextValue: items.relay }),
      };
    }
    case "certificate": {
      const certificate = endpoint?.certificates.find(({ hostname }) => hostname === name);
      const state: Described = certificate ? describeCertificate(certificate, now) : { kind: "busy", text: "" };
      return {
        label: (endpoint?.certificates.length ?? 0) > 1 ? t("Certificate of {0}", name) : t("Certificate"),
        description: state.text,
        iconPath: new ThemeIcon(state.kind === "good" ? "lock" : "unlock"),
        tooltip: [name, state.detail].filter(Boolean).join("\n"),
        contextValue: items.certificate,
      };
    }
    case "access":
      return {
        label: t("Access"),
        description: describeAccess(endpoint?.gateway.access, now),
        iconPath: new ThemeIcon(endpoint?.gateway.access ? "shield" : "eye"),
        contextValue: items.access,
      };
    default:
      return {
        label: t("Local service"),
        description: `${endpoint?.local ?? ""}${endpoint?.localUp === false ? ` · ${t("closed")}` : ""}`,
        iconPath: new ThemeIcon(endpoint?.localUp === false ? "warning" : "plug"),
        contextValue: items.local,
      };
  }
}

/** Which commands the row has. */
function kindOf(exposure: Exposure, { kind }: Described): string {
  if (exposure.phase === "off") return items.stopped;
  if (exposure.phase === "elsewhere") return items.elsewhere;
  if (kind === "bad") return items.waiting;
  return exposure.secondary ? items.paired : items.running;
}

function tooltipOf(facts: readonly (string | undefined)[], { text, detail }: Described): MarkdownString {
  const tooltip = new MarkdownString();
  tooltip.appendText([...facts, text, detail].filter(Boolean).join("\n"));
  return tooltip;
}
