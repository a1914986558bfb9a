import assert from "node:assert/strict";
import { join } from "node:path";
import { extensions, window, type ExtensionContext, type LogOutputChannel } from "vscode";
import { systemClock } from "@porthole/common/util";
import { Controller, type GivenKey } from "../../../extension/src/controller/index.ts";
import { startDaemonProcess } from "../../../extension/src/ui/daemon-process.ts";
import {
  editorSecrets,
  editorSettings,
  editorStore,
  editorWorkspace,
  pingWindow,
} from "../../../extension/src/ui/vscode-host.ts";

/** Keys are the editor's secrets: the extension's own controller and tunnel process, on what the editor gives to the driver. */
export function declareSecrets(driver: ExtensionContext): void {
  describe("the keys of ports", () => {
    let log: LogOutputChannel;
    const open: Controller[] = [];
    const secrets = editorSecrets(driver);
    const id = "file:///app#3000";
    const otherId = "file:///app#4000";

    before(() => {
      log = window.createOutputChannel("Porthole's keys", { log: true });
    });
    afterEach(async () => {
      await Promise.all(open.splice(0).map((each) => each.close()));
      for (const key of ["owner", `identity ${id}`, `identity ${otherId}`]) await secrets.delete(key);
    });
    after(() => log.dispose());

    /** As after a reload of the window: nothing is known but what the editor has kept. */
    async function reloaded(): Promise<Controller> {
      await Promise.all(open.splice(0).map((each) => each.close()));
      const { extensionPath } = extensions.getExtension("porthole.porthole") ?? assert.fail("it is not installed");
      const context = {
        asAbsolutePath: (path: string) => join(extensionPath, path),
        extensionMode: driver.extensionMode,
        globalStorageUri: driver.globalStorageUri,
      };
      const controller = new Controller({
        clock: systemClock,
        settings: editorSettings,
        secrets,
        store: editorStore(driver, "exposures"),
        projectStore: editorStore(driver, "project"),
        workspace: editorWorkspace,
        requestsFolder: join(driver.globalStorageUri.fsPath, "requests"),
        leaseFolder: join(driver.globalStorageUri.fsPath, "leases"),
        askWindow: pingWindow,
        startDaemon: (ownerPem, signal) => startDaemonProcess(context, log, ownerPem, signal),
        onLog: () => {},
      });
      open.push(controller);
      return controller;
    }

    async function replace(controller: Controller, text: string, passphrase?: string): Promise<GivenKey> {
      const given = await controller.ask.readIdentity(text, passphrase);
      await controller.identities.replace(id, given);
      return given;
    }

    it("stay the same over a reload, can be taken along and brought back, and are never lost to a bad file", async () => {
      let controller = await reloaded();
      const first = await controller.ask.identityOf(id);
      assert.match((await secrets.get(`identity ${id}`)) ?? "", /^-----BEGIN PRIVATE KEY-----/);
      controller = await reloaded();
      assert.deepEqual(await controller.ask.identityOf(id), first);

      const plain = await controller.ask.exportIdentity(id, undefined);
      const locked = await controller.ask.exportIdentity(id, "correct horse");
      assert.match(plain, /^-----BEGIN PRIVATE KEY-----/);
      assert.match(locked, /^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
      const other = await controller.ask.exportIdentity(otherId, undefined);

      const relays = [{ address: "relay.example.com:4433", label: "work" }];
      const bundle = await controller.ask.exportIdentity(id, "correct horse", relays);
      assert.match(bundle, /^-----BEGIN ENCRYPTED PORTHOLE BUNDLE-----/);

      for (const [text, passphrase, message] of [
        ["", undefined, /empty/],
        ["hello", undefined, /no private key/],
        [plain.slice(0, 60), undefined, /the end of its private key is missing/],
        [plain.replaceAll(/[a-z]/g, "A"), undefined, /can't be decoded/],
        [locked, undefined, /encrypted with a passphrase/],
        [locked, "wrong", /passphrase does not open/],
        [bundle, undefined, /takes a passphrase/],
        [bundle, "wrong", /passphrase does not open/],
      ] as const) {
        await assert.rejects(controller.ask.readIdentity(text, passphrase), { code: "key", message });
        assert.deepEqual(await controller.ask.identityOf(id), first, String(message));
      }

      const { pem: _secret, ...second } = await replace(controller, other);
      assert.notEqual(second.clientId, first.clientId);
      controller = await reloaded();
      assert.deepEqual(await controller.ask.identityOf(id), second);
      const given = await replace(controller, bundle, "correct horse");
      assert.deepEqual(given.relays, relays);
      assert.equal(given.clientId, first.clientId);
      await replace(controller, other);
      await replace(controller, locked, "correct horse");
      controller = await reloaded();
      assert.deepEqual(await controller.ask.identityOf(id), first);
    });
  });
}
