import { window, type Disposable, type QuickPickItem, type Uri } from "vscode";
import { PortholeError } from "@porthole/common/errors";
import type { RelaySpec, RelayTest, TransportTest } from "@porthole/tunnel/rpc";
import { errorText, type Controller } from "../controller/index.ts";
import { t } from "../text.ts";
import { configuredRelay } from "./configured-relays.ts";
import type { JoinOptions, UiContext } from "./context.ts";
import { cancellable } from "./progress.ts";

/** Joining, adding, testing and removing relays. */
export function relayCommands({ controller, run }: UiContext) {
  async function join(argument: unknown): Promise<void> {
    const invite =
      typeof argument === "string"
        ? argument
        : await window.showInputBox({
            title: t("Join a Relay"),
            prompt: t("Paste the invite that the relay's host has given you."),
            placeHolder: "porthole://…",
            ignoreFocusOut: true,
          });
    if (invite === undefined || invite.trim() === "") return;
    const relay = await controller.ask.parseInvite(invite.trim());
    const isForPort = isPartOfExposing(argument);
    const answer = await confirmRelay(controller, relay, isForPort);
    if (!answer) return;
    const test = await testWithProgress(controller, relay);
    if (!test) return;
    if (isUsable(test)) {
      // The test has used the token: the relay knows this person's key now.
      const { token: _used, ...known } = relay;
      await controller.relays.add(known, answer);
      if (!isForPort) void offerToExpose(t("Joined {0}.", relay.address), run);
      return;
    }
    const another = t("Paste Another…");
    const anyway = t("Join Anyway");
    const isRefused = !test.http2.ok && test.http2.error.code === "unauthorized";
    const message = isRefused
      ? t("The invite for {0} has already been used, or it has expired.", relay.address)
      : describeTest(relay, test);
    const choice = await window.showWarningMessage(message, ...(isRefused ? [another] : [another, anyway]));
    if (choice === another) await run("porthole.joinRelay", { isForPort } satisfies JoinOptions);
    else if (choice === anyway) await controller.relays.add(relay, answer);
  }

  return {
    "porthole.joinRelay": join,
    async "porthole.addRelay"(argument: unknown) {
      const relay = await askRelay();
      const test = relay && (await testWithProgress(controller, relay));
      if (!relay || !test) return;
      const add = t("Add It Anyway");
      if (!isUsable(test) && (await window.showWarningMessage(describeTest(relay, test), add)) !== add) return;
      const isForPort = isPartOfExposing(argument);
      const answer = isForPort ? {} : await askAboutTrial(controller);
      if (!answer) return;
      await controller.relays.add(relay, answer);
      if (!isForPort) void offerToExpose(t("Added the relay {0}.", describeTest(relay, test)), run);
    },
    async "porthole.testRelay"(argument: unknown) {
      const relay = await relayOf(controller, argument);
      const test = relay && (await testWithProgress(controller, relay));
      if (relay && test) void window.showInformationMessage(describeTest(relay, test), { modal: false });
    },
    async "porthole.labelRelay"(argument: unknown) {
      const relay = await relayOf(controller, argument);
      const label =
        relay &&
        (await window.showInputBox({
          title: t("Name of {0}", relay.address),
          prompt: t("What you call it. Leave it empty to show the address."),
          value: relay.label ?? "",
        }));
      if (relay && label !== undefined) await controller.relays.label(relay.address, label.trim());
    },
    async "porthole.removeRelay"(argument: unknown) {
      const relay = configuredRelay(controller, argument) ?? (await pickRelay(controller));
      if (!relay) return;
      const remove = t("Remove");
      const ports = portsOn(controller);
      const detail =
        controller.relays.isTrial || ports === 0
          ? t("You need a new invite, or its address, to use it again.")
          : t("URLs on this relay stop working. Ports that are exposed now: {0}.", ports);
      const choice = await window.showWarningMessage(
        t("Remove the relay {0}?", relay.address),
        { modal: true, detail },
        remove,
      );
      if (choice !== remove) return;
      await controller.relays.remove(relay.address);
      window.setStatusBarMessage(t("Removed the relay {0}", relay.address), 5_000);
    },
  };
}

/** `vscode://porthole.porthole/join?…`: the sender of the link must not choose a relay for us without a click here. */
export function inviteLinks({ run }: UiContext): Disposable {
  return window.registerUriHandler({
    async handleUri(uri: Uri) {
      if (uri.path === "/join") await run("porthole.joinRelay", `vscode://porthole.porthole/join?${uri.query}`);
      else throw new PortholeError("usage", `${uri.path} is not an address of Porthole`);
    },
  });
}

/** How many ports this window exposes now. */
export function portsOn({ state }: Controller): number {
  return state.exposures.filter(({ phase }) => phase === "on").length;
}

function isPartOfExposing(argument: unknown): boolean {
  return ((argument ?? {}) as Partial<JoinOptions>).isForPort === true;
}

/** Offers to expose a port once a relay is added. */
async function offerToExpose(message: string, run: UiContext["run"]): Promise<void> {
  const expose = t("Expose a Port");
  if ((await window.showInformationMessage(message, expose)) === expose) await run("porthole.expose");
}

type Joining = { readonly keepTrial?: boolean };

/** Asks once before a relay is used, and in trial mode what happens to the ports there. Undefined when the user leaves. */
async function confirmRelay(
  controller: Controller,
  { address, fingerprint, label, certificateDirectory }: RelaySpec,
  isForPort: boolean,
): Promise<Joining | undefined> {
  const ports = portsOn(controller);
  const isTrial = controller.relays.isTrial && ports > 0 && !isForPort;
  const join = isTrial ? t("Join and Move Ports") : t("Join");
  const keep = t("Join, Keep Trial Mode");
  const urls = isTrial
    ? t("Ports that are exposed on this machine only: {0}. They become public when they move to this relay.", ports)
    : ports > 0
      ? t("Your ports get their public URLs from it. Ports that are exposed now: {0}.", ports)
      : t("Your ports get their public URLs from it.");
  const lines = [
    ...(label === undefined ? [] : [label]),
    ...(fingerprint === undefined
      ? []
      : [t("Key fingerprint: {0}. Compare it with what the relay's host gave you.", inGroups(fingerprint))]),
    `${urls} ${t("It cannot read your traffic.")}`,
    ...(certificateDirectory === undefined
      ? []
      : [t("Certificates for these URLs are ordered from {0}.", certificateDirectory)]),
  ];
  const choice = await window.showInformationMessage(
    t("Join the relay {0}?", address),
    { modal: true, detail: lines.join("\n") },
    ...(isTrial ? [join, keep] : [join]),
  );
  if (choice === undefined) return undefined;
  return { keepTrial: choice === keep };
}

/** In trial mode a new relay may make ports public: asks what happens to them. */
async function askAboutTrial(controller: Controller): Promise<Joining | undefined> {
  const ports = portsOn(controller);
  if (!controller.relays.isTrial || ports === 0) return {};
  const move = t("Move Ports");
  const keep = t("Keep Trial Mode");
  const choice = await window.showInformationMessage(
    t("Move the exposed ports to the new relay?"),
    { modal: true, detail: t("They are exposed on this machine only now. They become public when they move.") },
    move,
    keep,
  );
  return choice === undefined ? undefined : { keepTrial: choice === keep };
}

async function askRelay(): Promise<RelaySpec | undefined> {
  const address = await window.showInputBox({
    title: t("Add a Relay (1/2)"),
    prompt: t("The relay's address, and its port if it is not 4433."),
    placeHolder: "relay.example.com:4433",
    ignoreFocusOut: true,
    validateInput: (text) =>
      /^(\[[0-9a-f:]+\]|[\w.-]+)(:\d{1,5})?$/i.test(text.trim()) ? undefined : t("Write host or host:port"),
  });
  if (address === undefined) return undefined;
  const fingerprint = await window.showInputBox({
    title: t("Add a Relay (2/2)"),
    prompt: t("Its fingerprint, if you have one. Leave it empty for a relay with a certificate of a public authority."),
    ignoreFocusOut: true,
    validateInput: (text) =>
      text.trim() === "" || text.replaceAll(":", "").trim().length >= 26
        ? undefined
        : t("That is too short for a fingerprint"),
  });
  if (fingerprint === undefined) return undefined;
  return { address: address.trim(), ...(fingerprint.trim() === "" ? {} : { fingerprint: fingerprint.trim() }) };
}

/** The relay of the tree's row, the only one, or the user's choice. */
async function relayOf(controller: Controller, argument: unknown): Promise<RelaySpec | undefined> {
  const { relays } = controller.state;
  return configuredRelay(controller, argument) ?? (relays.length <= 1 ? relays[0] : await pickRelay(controller));
}

async function pickRelay({ state }: Controller): Promise<RelaySpec | undefined> {
  const items = state.relays.map((relay): QuickPickItem & { relay: RelaySpec } => ({
    label: `$(server) ${relay.address}`,
    ...(relay.label === undefined ? {} : { description: relay.label }),
    relay,
  }));
  return (await window.showQuickPick(items, { placeHolder: t("Choose a relay") }))?.relay;
}

function testWithProgress(controller: Controller, relay: RelaySpec): Promise<RelayTest | undefined> {
  return cancellable(t("Connecting to {0}", relay.address), (signal) => controller.ask.testRelay(relay, signal));
}

function isUsable({ quic, http2 }: RelayTest): boolean {
  return quic.ok || http2.ok;
}

function describeTest({ address }: RelaySpec, { quic, http2 }: RelayTest): string {
  // The first way to it says best what is wrong.
  if (!quic.ok && !http2.ok) return t("The relay can't be used. {0}", errorText(http2.error));
  return t("{0}: {1}; {2}", address, describeTransport("QUIC", quic), describeTransport("HTTP/2", http2));
}

function describeTransport(name: string, test: TransportTest): string {
  return test.ok
    ? t("{0} works ({1} ms)", name, Math.ceil(test.rttMs ?? test.connectMs))
    : t("{0} does not work: {1}", name, errorText({ message: test.error.message }));
}

/** As people compare it. */
function inGroups(fingerprint: string): string {
  return fingerprint.includes(":") ? fingerprint : (fingerprint.match(/.{1,4}/g) ?? []).join(" ");
}
