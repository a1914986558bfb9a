import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { commands, extensions, workspace } from "vscode";
import { editorProxy } from "../../../extension/src/ui/editor-proxy.ts";
import { editorSettings } from "../../../extension/src/ui/vscode-host.ts";
import { commands as declared, settings } from "../../../extension/src/manifest/index.ts";

/** Holds in every window: with a folder, several, or none. */
export function declareSuite(): void {
  describe("the extension in its host", () => {
    const extension = extensions.getExtension("porthole.porthole");

    it("has started no process by itself", async () => {
      assert.ok(extension);
      await extension.activate();
      const children = execFileSync("ps", ["--ppid", String(process.pid), "-o", "args="], { encoding: "utf8" });
      assert.ok(!children.includes("daemon.mjs"), children);
    });

    it("has exactly the commands that its manifest declares", async () => {
      const known = await commands.getCommands(true);
      const ours = known.filter((id) => Object.hasOwn(declared, id));
      assert.deepEqual(ours.toSorted(), Object.keys(declared).toSorted());
      assert.ok(extension);
      const { contributes } = extension.packageJSON as {
        readonly contributes: { readonly commands: readonly { readonly command: string }[] };
      };
      const listed = contributes.commands.map(({ command }) => command);
      assert.deepEqual(listed.toSorted(), Object.keys(declared).toSorted());
    });

    it("takes no proxy from a workspace", () => {
      assert.ok(!JSON.stringify(editorProxy()).includes("hostile"));
    });

    it("takes no setting from a workspace, but for the one that describes ports", () => {
      const described = Object.keys(editorSettings.get("porthole.ports"));
      const ofFolders = { one: "80", two: "81" } as Readonly<Record<string, string>>;
      const wanted = (workspace.workspaceFolders ?? []).map(({ name }) => ofFolders[name]);
      assert.deepEqual(described.toSorted(), workspace.isTrusted ? wanted : []);
      for (const id of Object.keys(settings).filter((each) => each !== "porthole.ports")) {
        const inspected = workspace.getConfiguration().inspect(id);
        assert.ok(inspected, id);
        assert.deepEqual([id, inspected.workspaceValue, inspected.workspaceFolderValue], [id, undefined, undefined]);
        assert.deepEqual(workspace.getConfiguration().get(id), inspected.globalValue ?? inspected.defaultValue, id);
      }
      const relays = workspace.getConfiguration().get<readonly object[]>("porthole.relays");
      assert.ok(!JSON.stringify(relays).includes("hostile"));
    });
  });
}
