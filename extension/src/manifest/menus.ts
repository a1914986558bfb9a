import type { CommandId } from "./commands.ts";
import { items } from "./views.ts";

export interface MenuItem {
  readonly command: CommandId;
  readonly when: string;
  readonly group: string;
}

/** A row of the Ports view that can be dialled; `in` asks whether the row that was clicked is exposed. */
const port = "tunnelType =~ /^(Forwarded|Detected|Candidate)$/ && !tunnelViewMultiSelection";
const exposed = "tunnelViewSelection in porthole.exposedPorts";
const notExposed = "tunnelViewSelection not in porthole.exposedPorts";
const endpoints = "view == porthole.endpoints";
const item = (...kinds: readonly string[]): string =>
  `${endpoints} && viewItem =~ /^(${kinds.map((kind) => kind.replaceAll(".", "\\.")).join("|")})$/`;
const running = item(items.running, items.paired);
/** This window exposes it, whatever its state is. */
const on = item(items.running, items.paired, items.waiting);
const endpoint = item(items.running, items.paired, items.waiting, items.stopped);

/** A button on an item, and the same in its menu: the keyboard reaches no buttons. */
const inline = (command: CommandId, when: string, place: number): readonly MenuItem[] => [
  { command, when, group: `inline@${place}` },
  { command, when, group: `0_item@${place}` },
];

export const menus: Readonly<Record<string, readonly MenuItem[]>> = {
  "ports/item/context": [
    { command: "porthole.expose", when: `${port} && ${notExposed}`, group: "1_porthole@1" },
    { command: "porthole.copyUrl", when: `${port} && ${exposed}`, group: "1_porthole@1" },
    { command: "porthole.openUrl", when: `${port} && ${exposed}`, group: "1_porthole@2" },
    { command: "porthole.showQrCode", when: `${port} && ${exposed}`, group: "1_porthole@3" },
    { command: "porthole.stop", when: `${port} && ${exposed}`, group: "1_porthole@4" },
  ],
  // An inline action can't ask whether its row is exposed: the command does.
  "ports/item/port/inline": [
    { command: "porthole.portAction", when: "tunnelType =~ /^(Forwarded|Detected)$/", group: "0_manage@9" },
  ],
  "editor/title": [
    {
      command: "porthole.sendRequest",
      when: "resourceScheme == porthole-request && !activeEditorIsReadonly",
      group: "navigation@1",
    },
  ],
  "view/title": [
    { command: "porthole.expose", when: endpoints, group: "navigation@1" },
    { command: "porthole.exposeProject", when: `${endpoints} && porthole.hasProject`, group: "0_ports@0" },
    { command: "porthole.joinRelay", when: endpoints, group: "1_relay@1" },
    { command: "porthole.addRelay", when: endpoints, group: "1_relay@2" },
    { command: "porthole.testRelay", when: `${endpoints} && porthole.hasRelays`, group: "1_relay@3" },
    { command: "porthole.removeRelay", when: `${endpoints} && porthole.hasRelays`, group: "1_relay@4" },
    { command: "porthole.useRelays", when: `${endpoints} && porthole.isTrial`, group: "1_relay@5" },
    { command: "porthole.tryWithoutRelay", when: `${endpoints} && !porthole.isTrial`, group: "1_relay@5" },
    { command: "porthole.stopAll", when: `${endpoints} && porthole.hasExposed`, group: "0_ports@1" },
    { command: "porthole.doctor", when: endpoints, group: "2_help@1" },
    { command: "porthole.showLog", when: endpoints, group: "2_help@2" },
    { command: "porthole.openSettings", when: endpoints, group: "2_help@3" },
  ],
  "view/item/context": [
    ...inline("porthole.copyUrl", running, 1),
    ...inline("porthole.openUrl", running, 2),
    ...inline("porthole.tryNow", item(items.waiting), 1),
    ...inline("porthole.stop", on, 3),
    ...inline("porthole.takeOver", item(items.elsewhere), 1),
    ...inline("porthole.stop", item(items.elsewhere), 2),
    ...inline("porthole.useRelays", item(items.trial), 1),
    ...inline("porthole.joinRelay", item(items.relays), 1),
    { command: "porthole.addRelay", when: item(items.relays), group: "0_item@2" },
    ...inline("porthole.testRelay", item(items.configured), 1),
    ...inline("porthole.labelRelay", item(items.configured), 2),
    ...inline("porthole.removeRelay", item(items.configured), 3),
    ...inline("porthole.copyUrl", item(items.relay), 1),
    ...inline("porthole.openUrl", item(items.relay), 2),
    { command: "porthole.showQrCode", when: item(items.relay), group: "1_share@1" },
    ...inline("porthole.start", item(items.stopped), 1),
    ...inline("porthole.remove", item(items.stopped), 2),
    ...inline("porthole.copySecondaryUrl", item(items.secondary), 1),
    ...inline("porthole.removeSecondary", item(items.secondary), 2),
    ...inline("porthole.protect", item(items.access), 1),
    { command: "porthole.showQrCode", when: running, group: "1_share@1" },
    { command: "porthole.preview", when: item(items.running, items.paired, items.relay), group: "1_share@0" },
    { command: "porthole.protect", when: on, group: "1_share@3" },
    { command: "porthole.protect", when: item(items.elsewhere), group: "1_share@3" },
    { command: "porthole.showRequests", when: on, group: "1_share@4" },
    {
      command: "porthole.copyFingerprint",
      when: item(items.running, items.paired, items.secondary, items.certificate),
      group: "1_share@2",
    },
    { command: "porthole.addSecondary", when: item(items.running), group: "2_endpoint@1" },
    { command: "porthole.setName", when: endpoint, group: "2_endpoint@2" },
    { command: "porthole.exportIdentity", when: endpoint, group: "3_identity@1" },
    { command: "porthole.importIdentity", when: endpoint, group: "3_identity@2" },
    { command: "porthole.newIdentity", when: endpoint, group: "3_identity@3" },
    { command: "porthole.doctor", when: on, group: "4_help@1" },
  ],
};
