import { window, type Disposable, type QuickPickItem, type Uri } from "vscode";
import { PortholeError } from "@porthole/common/errors";
import type { RelaySpec, RelayTest, TransportTest } from "@porthole/tunnel/rpc";
import type { Controller } from "../controller/index.ts";
import { t } from "../text.ts";
import type { JoinOptions, UiContext } from "./context.ts";
import { cancellable } from "./progress.ts";

/** Joining, adding, testing and removing relays, and trying it out without one. */
export function relayCommands({ controller, run }: UiContext) {
  return {
    async "porthole.joinRelay"(argument: unknown) {
      const invite =
        typeof argument === "string"
          ? argument
          : await window.showInputBox({
              title: t("Join a Relay"),
              prompt: t("Paste the invite that whoever runs the relay has given you."),
              placeHolder: "porthole://…",
              ignoreFocusOut: true,
            });
      if (invite === undefined || invite.trim() === "") return;
      const relay = await controller.ask.parseInvite(invite.trim());
      if (!(await confirmRelay(relay))) return;
      await controller.addRelay(relay);
      const { isForPort } = (argument ?? {}) as Partial<JoinOptions>;
      if (isForPort !== true) void offerToExpose(t("Joined the relay {0}.", relay.address), run);
    },
    async "porthole.addRelay"() {
      const address = await window.showInputBox({
        title: t("Add a Relay (1/2)"),
        prompt: t("The relay's address, and its port if it is not 4433."),
        placeHolder: "relay.example.com:4433",
        ignoreFocusOut: true,
        validateInput: (text) =>
          /^(\[[0-9a-f:]+\]|[\w.-]+)(:\d{1,5})?$/i.test(text.trim()) ? undefined : t("Write host or host:port"),
      });
      if (address === undefined) return;
      const fingerprint = await window.showInputBox({
        title: t("Add a Relay (2/2)"),
        prompt: t(
          "Its fingerprint, if you have one. Leave it empty for a relay with a certificate of a public authority.",
        ),
        ignoreFocusOut: true,
        validateInput: (text) =>
          text.trim() === "" || text.replaceAll(":", "").trim().length >= 26
            ? undefined
            : t("That is too short for a fingerprint"),
      });
      if (fingerprint === undefined) return;
      const relay: RelaySpec = {
        address: address.trim(),
        ...(fingerprint.trim() === "" ? {} : { fingerprint: fingerprint.trim() }),
      };
      const test = await testWithProgress(controller, relay);
      if (!test) return;
      const add = t("Add It Anyway");
      if (!test.http2.ok && !test.quic.ok && (await window.showWarningMessage(describeTest(relay, test), add)) !== add)
        return;
      await controller.addRelay(relay);
      void offerToExpose(t("Added the relay {0}.", describeTest(relay, test)), run);
    },
    async "porthole.testRelay"() {
      const relay = await chooseRelay(controller);
      const test = relay && (await testWithProgress(controller, relay));
      if (relay && test) void window.showInformationMessage(describeTest(relay, test), { modal: false });
    },
    async "porthole.removeRelay"() {
      const relay = await pickRelay(controller);
      if (!relay) return;
      await controller.removeRelay(relay.address);
      window.setStatusBarMessage(t("Removed the relay {0}", relay.address), 5_000);
    },
    async "porthole.tryWithoutRelay"() {
      await controller.useTrialRelay();
      void window.showInformationMessage(
        t(
          "A relay runs on this machine now. Expose a port: its URL works in browsers here, and shows a self-signed certificate.",
        ),
      );
    },
  };
}

/** `vscode://porthole.porthole/join?…`: whoever sent the link must not choose a relay for us without a click here. */
export function inviteLinks({ run }: UiContext): Disposable {
  return window.registerUriHandler({
    async handleUri(uri: Uri) {
      if (uri.path === "/join") await run("porthole.joinRelay", `vscode://porthole.porthole/join?${uri.query}`);
      else throw new PortholeError("usage", `${uri.path} is not an address of Porthole`);
    },
  });
}

/** What a relay is added for. */
async function offerToExpose(message: string, run: UiContext["run"]): Promise<void> {
  const expose = t("Expose a Port");
  if ((await window.showInformationMessage(message, expose)) === expose) await run("porthole.expose");
}

async function confirmRelay({ address, fingerprint, label }: RelaySpec): Promise<boolean> {
  const join = t("Join");
  const lines = [
    ...(label === undefined ? [] : [label]),
    ...(fingerprint === undefined ? [] : [t("Its key is {0}.", fingerprint)]),
    t("Ports that you expose from now on get their public names from it. It can't read what it carries."),
  ];
  const choice = await window.showInformationMessage(
    t("Join the relay {0}?", address),
    { modal: true, detail: lines.join("\n") },
    join,
  );
  return choice === join;
}

/** The only one, or the user's choice. */
async function chooseRelay(controller: Controller): Promise<RelaySpec | undefined> {
  const { relays } = controller.state;
  return relays.length <= 1 ? relays[0] : pickRelay(controller);
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

function describeTest({ address }: RelaySpec, { quic, http2 }: RelayTest): string {
  // The first way to it says best what is wrong.
  if (!quic.ok && !http2.ok)
    return t("The relay can't be used. {0}", [http2.error.message, http2.error.hint].filter(Boolean).join(". "));
  return t("{0}: {1}; {2}", address, describeTransport("QUIC", quic), describeTransport("HTTP/2", http2));
}

function describeTransport(name: string, test: TransportTest): string {
  return test.ok
    ? t("{0} works ({1} ms)", name, Math.ceil(test.rttMs ?? test.connectMs))
    : t("{0} does not work: {1}", name, test.error.message);
}
