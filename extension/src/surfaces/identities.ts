import { Uri, window, workspace } from "vscode";
import { nameOf, type Exposure } from "../controller/index.ts";
import { t } from "../text.ts";
import { chooseExposure } from "./pickers.ts";
import type { SurfaceContext } from "./surface.ts";

/** A port's key is its name: it can be taken to another machine, or to the command line. */
export function identityCommands({ controller }: SurfaceContext) {
  const choose = (argument: unknown): Promise<Exposure | undefined> => chooseExposure(controller, argument, () => true);
  /** The present key is gone then, and with it its name. */
  async function confirmImport(exposure: Exposure): Promise<boolean> {
    const { clientId } = await controller.identityOf(exposure.id);
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
      const passphrase = await askPassphrase(t("A passphrase for the file; leave it empty to write the key as it is."));
      if (passphrase === undefined) return;
      const { clientId } = await controller.identityOf(exposure.id);
      const uri = await window.showSaveDialog({
        title: t("Export the key of {0}", nameOf(exposure)),
        defaultUri: Uri.joinPath(workspace.workspaceFolders?.[0]?.uri ?? Uri.file("/"), "..", `${clientId}.pem`),
        filters: { PEM: ["pem"] },
      });
      if (!uri) return;
      const pem = await controller.exportIdentity(exposure.id, passphrase === "" ? undefined : passphrase);
      await workspace.fs.writeFile(uri, Buffer.from(pem));
      void window.showInformationMessage(
        t("Whoever has this file can serve under the name {0}. Keep it secret.", clientId),
      );
    },
    async "porthole.importIdentity"(argument: unknown) {
      const exposure = await choose(argument);
      if (!exposure) {
        void window.showInformationMessage(t("Expose a port first: the key that you import becomes its name."));
        return;
      }
      const [uri] =
        (await window.showOpenDialog({ title: t("Import a key for {0}", nameOf(exposure)), canSelectMany: false })) ??
        [];
      if (!uri) return;
      const pem = Buffer.from(await workspace.fs.readFile(uri)).toString("utf8");
      const isEncrypted = /ENCRYPTED/.test(pem);
      const passphrase = isEncrypted ? await askPassphrase(t("The passphrase of the file.")) : "";
      if (passphrase === undefined || !(await confirmImport(exposure))) return;
      const { clientId } = await controller.importIdentity(
        exposure.id,
        pem,
        passphrase === "" ? undefined : passphrase,
      );
      void window.showInformationMessage(t("The name of {0} is {1} from now on.", nameOf(exposure), clientId));
    },
  };
}

async function askPassphrase(prompt: string): Promise<string | undefined> {
  return window.showInputBox({ prompt, password: true, ignoreFocusOut: true });
}
