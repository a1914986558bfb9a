import { Uri, window, workspace } from "vscode";
import { writeFileAtomic } from "@porthole/common/util";
import { nameOf, type Exposure } from "../controller/index.ts";
import { t } from "../text.ts";
import { chooseExposure } from "./pickers.ts";
import type { UiContext } from "./context.ts";

/** A port's key is its name: it can be taken to another machine, or to the command line. */
export function identityCommands({ controller }: UiContext) {
  const choose = (argument: unknown): Promise<Exposure | undefined> => chooseExposure(controller, argument, () => true);
  /** The present key is gone then, and with it its name. */
  async function confirmLoss(exposure: Exposure, clientId: string): Promise<boolean> {
    const replace = t("Replace");
    const choice = await window.showWarningMessage(
      t("Replace the key of {0}?", nameOf(exposure)),
      { modal: true, detail: t("Its name {0} is lost with it, unless you have exported the key.", clientId) },
      replace,
    );
    return choice === replace;
  }

  return {
    async "porthole.exportIdentity"(argument: unknown) {
      const exposure = await choose(argument);
      if (!exposure) return;
      const title = t("Export the key of {0}", nameOf(exposure));
      const passphrase = await askPassphrase(
        title,
        t("A passphrase for the file; leave it empty to write the key as it is."),
      );
      if (passphrase === undefined) return;
      const { clientId } = await controller.ask.identityOf(exposure.id);
      const uri = await window.showSaveDialog({
        title,
        defaultUri: Uri.joinPath(workspace.workspaceFolders?.[0]?.uri ?? Uri.file("/"), "..", `${clientId}.pem`),
        filters: { PEM: ["pem"] },
      });
      if (!uri) return;
      const pem = await controller.ask.exportIdentity(exposure.id, passphrase === "" ? undefined : passphrase);
      await writeSecret(uri, pem);
      void window.showInformationMessage(t("Keep the file secret: whoever has it has the name {0}.", clientId));
    },
    async "porthole.importIdentity"(argument: unknown) {
      const exposure = await choose(argument);
      if (!exposure) {
        void window.showInformationMessage(t("Expose a port first: the key that you import becomes its name."));
        return;
      }
      const title = t("Import a key for {0}", nameOf(exposure));
      const [uri] = (await window.showOpenDialog({ title, canSelectMany: false })) ?? [];
      if (!uri) return;
      const pem = Buffer.from(await workspace.fs.readFile(uri)).toString("utf8");
      const isEncrypted = /ENCRYPTED/.test(pem);
      const passphrase = isEncrypted ? await askPassphrase(title, t("The passphrase of the file.")) : "";
      if (passphrase === undefined) return;
      const given = await controller.ask.readIdentity(pem, passphrase === "" ? undefined : passphrase);
      const present = await controller.ask.identityOf(exposure.id);
      if (given.clientId !== present.clientId) {
        if (!(await confirmLoss(exposure, present.clientId))) return;
        await controller.replaceIdentity(exposure.id, given);
      }
      void window.showInformationMessage(t("The name of {0} is {1} from now on.", nameOf(exposure), given.clientId));
    },
  };
}

async function askPassphrase(title: string, prompt: string): Promise<string | undefined> {
  return window.showInputBox({ title, prompt, password: true, ignoreFocusOut: true });
}

/** On a disk, where the editor would let everyone on the machine read it. */
async function writeSecret(uri: Uri, text: string): Promise<void> {
  if (uri.scheme === "file") await writeFileAtomic(uri.fsPath, text, { mode: 0o600 });
  else await workspace.fs.writeFile(uri, Buffer.from(text));
}
