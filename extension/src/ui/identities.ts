import { homedir } from "node:os";
import { Uri, window, workspace } from "vscode";
import { PortholeError } from "@porthole/common/errors";
import { writeFileAtomic } from "@porthole/common/util";
import { nameOf, type Exposure, type GivenKey } from "../controller/index.ts";
import { t } from "../text.ts";
import { chooseExposure } from "./pickers.ts";
import type { UiContext } from "./context.ts";

/** As large as a bundle may be. */
const maxFileBytes = 4 * 1024 * 1024;

/** A port's key is its URL: it can be taken to another machine or to the command line, brought from there, or replaced. */
export function identityCommands({ controller }: UiContext) {
  const choose = (argument: unknown): Promise<Exposure | undefined> => chooseExposure(controller, argument, () => true);
  /** The present key is gone then, and with it its name. */
  async function confirmLoss(exposure: Exposure): Promise<boolean> {
    const { clientId } = await controller.ask.identityOf(exposure.id);
    const replace = t("Replace");
    const choice = await window.showWarningMessage(
      t("Replace the key of {0}?", nameOf(exposure)),
      { modal: true, detail: t("Its name {0} is lost with it, unless you have exported the key.", clientId) },
      replace,
    );
    return choice === replace;
  }

  /** Returns the key that the user chooses where the file has several. Undefined when they leave. */
  async function chooseKey(given: GivenKey, title: string): Promise<Pick<GivenKey, "clientId" | "pem"> | undefined> {
    const { identities = [given] } = given;
    if (identities.length < 2) return given;
    const items = identities.map((identity) => ({ label: identity.clientId, identity }));
    return (await window.showQuickPick(items, { title }))?.identity;
  }

  /** The file may name relays that this editor does not use yet: without them the URL leads nowhere. */
  async function offerRelays({ relays = [] }: GivenKey): Promise<void> {
    const known = new Set(controller.relays.configured.map(({ address }) => address));
    for (const relay of relays.filter(({ address }) => !known.has(address))) {
      const use = t("Use It");
      const question = t("The URL belongs to the relay {0}. Use it for your ports?", relay.address);
      if ((await window.showInformationMessage(question, { modal: true }, use)) === use)
        await controller.relays.add(relay);
    }
  }

  /** Asks for the passphrase until it is right. Undefined when the user leaves. */
  async function readKey(pem: string, title: string): Promise<GivenKey | undefined> {
    if (!/ENCRYPTED/.test(pem)) return controller.ask.readIdentity(pem, undefined);
    for (
      let prompt = t("The passphrase of the file.");
      ;
      prompt = t("Wrong passphrase, or the file is damaged. Try again.")
    ) {
      const passphrase = await askPassphrase(title, prompt);
      if (passphrase === undefined || passphrase === "") return undefined;
      try {
        return await controller.ask.readIdentity(pem, passphrase);
      } catch (reason) {
        if (PortholeError.from(reason).code !== "key") throw reason;
      }
    }
  }

  return {
    async "porthole.exportIdentity"(argument: unknown) {
      const exposure = await choose(argument);
      if (!exposure) {
        void window.showInformationMessage(t("Expose a port first: its URL is what moves."));
        return;
      }
      const title = t("Move the URL of {0}: export its key", nameOf(exposure));
      const passphrase = await askPassphrase(
        title,
        t("A passphrase for the file; leave it empty to write the key as it is."),
      );
      if (passphrase === undefined) return;
      const { clientId } = await controller.ask.identityOf(exposure.id);
      const { workspaceFolders } = workspace;
      const folder = workspaceFolders?.[0] ? Uri.joinPath(workspaceFolders[0].uri, "..") : Uri.file(homedir());
      const uri = await window.showSaveDialog({
        title,
        defaultUri: Uri.joinPath(folder, `${clientId}.pem`),
        filters: { PEM: ["pem"] },
      });
      if (!uri) return;
      const pem = await controller.ask.exportIdentity(
        exposure.id,
        passphrase === "" ? undefined : passphrase,
        controller.relays.configured,
      );
      await writeSecret(uri, pem);
      const stop = t("Stop It Here");
      const choice = await window.showInformationMessage(
        t(
          "Saved. Keep the file secret: it is the URL {0}. On the other machine, run Use a URL from Another Machine. One machine at a time may serve it.",
          clientId,
        ),
        ...(exposure.phase === "off" ? [] : [stop]),
      );
      if (choice === stop) await controller.stop(exposure.id);
    },
    async "porthole.importIdentity"(argument: unknown) {
      const exposure = await choose(argument);
      if (!exposure) {
        void window.showInformationMessage(t("Expose a port first: it gets the URL that you import."));
        return;
      }
      const title = t("The key of the URL for {0}", nameOf(exposure));
      const [uri] = (await window.showOpenDialog({ title, canSelectMany: false })) ?? [];
      if (!uri) return;
      const pem = await readSmall(uri);
      const given = await readKey(pem, title);
      if (!given) return;
      const key = await chooseKey(given, title);
      if (!key) return;
      const present = await controller.ask.identityOf(exposure.id);
      if (key.clientId !== present.clientId) {
        if (!(await confirmLoss(exposure))) return;
        await controller.identities.replace(exposure.id, key);
      }
      await offerRelays(given);
      void window.showInformationMessage(t("The name of {0} is {1} from now on.", nameOf(exposure), key.clientId));
    },
    async "porthole.newIdentity"(argument: unknown) {
      const exposure = await choose(argument);
      if (!exposure || !(await confirmLoss(exposure))) return;
      const { clientId } = await controller.identities.renew(exposure.id);
      void window.showInformationMessage(t("The name of {0} is {1} from now on.", nameOf(exposure), clientId));
    },
  };
}

async function askPassphrase(title: string, prompt: string): Promise<string | undefined> {
  return window.showInputBox({ title, prompt, password: true, ignoreFocusOut: true });
}

/** A disk image must not fill the memory. */
async function readSmall(uri: Uri): Promise<string> {
  const { size } = await workspace.fs.stat(uri);
  if (size > maxFileBytes) throw new PortholeError("key", t("This file is too large to be a key"));
  return Buffer.from(await workspace.fs.readFile(uri)).toString("utf8");
}

/** On a disk, where the editor would let everyone on the machine read it. */
async function writeSecret(uri: Uri, text: string): Promise<void> {
  if (uri.scheme === "file") await writeFileAtomic(uri.fsPath, text, { mode: 0o600 });
  else await workspace.fs.writeFile(uri, Buffer.from(text));
}
