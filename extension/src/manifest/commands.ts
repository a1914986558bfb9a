/** Every command, once. `title` is a key of package.nls.json, `icon` a codicon. */
export interface CommandSpec {
  readonly title: string;
  readonly icon?: string;
  /** When the command palette offers it; `false` for commands that only make sense on an item. */
  readonly palette?: string | false;
  readonly enablement?: string;
}

export const commands = {
  "porthole.expose": { title: "command.expose", icon: "broadcast" },
  "porthole.stop": { title: "command.stop", icon: "debug-stop", palette: "porthole.hasExposed" },
  "porthole.stopAll": { title: "command.stopAll", palette: "porthole.hasExposed" },
  "porthole.exposeProject": { title: "command.exposeProject", icon: "broadcast", palette: "porthole.hasProject" },
  "porthole.takeOver": { title: "command.takeOver", icon: "arrow-swap", palette: false },
  "porthole.tryNow": { title: "command.tryNow", icon: "refresh", palette: "porthole.hasExposed" },
  "porthole.start": { title: "command.start", icon: "play", palette: false },
  "porthole.remove": { title: "command.remove", icon: "close", palette: false },
  "porthole.copyUrl": { title: "command.copyUrl", icon: "copy", palette: "porthole.hasExposed" },
  "porthole.openUrl": { title: "command.openUrl", icon: "link-external", palette: "porthole.hasExposed" },
  "porthole.preview": { title: "command.preview", icon: "open-preview", palette: "porthole.hasExposed" },
  "porthole.setName": { title: "command.setName", palette: "porthole.hasExposed" },
  "porthole.showQrCode": { title: "command.showQrCode", palette: "porthole.hasExposed" },
  "porthole.showRequests": { title: "command.showRequests", palette: "porthole.hasExposed" },
  "porthole.sendRequest": { title: "command.sendRequest", icon: "send", palette: "resourceScheme == porthole-request" },
  "porthole.showActions": { title: "command.showActions", palette: "porthole.hasExposed" },
  "porthole.addSecondary": { title: "command.addSecondary", palette: "porthole.hasExposed" },
  "porthole.removeSecondary": { title: "command.removeSecondary", icon: "close", palette: "porthole.hasSecondary" },
  "porthole.copySecondaryUrl": { title: "command.copySecondaryUrl", icon: "copy", palette: "porthole.hasSecondary" },
  "porthole.copyFingerprint": { title: "command.copyFingerprint", icon: "key", palette: "porthole.hasExposed" },
  "porthole.protect": { title: "command.protect", icon: "shield", palette: "porthole.hasExposed" },
  "porthole.joinRelay": { title: "command.joinRelay", icon: "add" },
  "porthole.addRelay": { title: "command.addRelay" },
  "porthole.removeRelay": { title: "command.removeRelay", icon: "trash", palette: "porthole.hasRelays" },
  "porthole.labelRelay": { title: "command.labelRelay", icon: "edit", palette: "porthole.hasRelays" },
  "porthole.testRelay": { title: "command.testRelay", icon: "pulse", palette: "porthole.hasRelays" },
  "porthole.tryWithoutRelay": { title: "command.tryWithoutRelay" },
  "porthole.useRelays": { title: "command.useRelays", icon: "close", palette: "porthole.isTrial" },
  "porthole.exportIdentity": { title: "command.exportIdentity" },
  "porthole.importIdentity": { title: "command.importIdentity" },
  "porthole.newIdentity": { title: "command.newIdentity" },
  "porthole.doctor": { title: "command.doctor" },
  "porthole.showLog": { title: "command.showLog" },
  "porthole.copyDiagnostics": { title: "command.copyDiagnostics" },
  "porthole.openSettings": { title: "command.openSettings" },
  "porthole.openWalkthrough": { title: "command.openWalkthrough" },
  /** The icon of a row of the Ports view. */
  "porthole.portAction": { title: "command.portAction", icon: "broadcast", palette: false },
  /** For `${command:porthole.url}` in tasks and launch configurations: returns the URL. */
  "porthole.url": { title: "command.url", palette: false },
} as const satisfies Record<string, CommandSpec>;

export type CommandId = keyof typeof commands;
