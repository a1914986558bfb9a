import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import Mocha from "mocha";
import { extensions, workspace, type ExtensionContext } from "vscode";
import { declareSecrets } from "./secrets.ts";
import { declareSuite } from "./suite.ts";

/** The driver is an extension, too: what the editor gives to one is what its tests are about. */
export function activate(context: ExtensionContext): ExtensionContext {
  return context;
}

/** What the editor calls in the extension host. The result goes into a file, because a host that crashes reports success. */
export async function run(): Promise<void> {
  const driver = extensions.getExtension<ExtensionContext>("test.driver") ?? assert.fail("the driver is not loaded");
  const mocha = new Mocha({ ui: "bdd", timeout: 120_000, reporter: "min" });
  mocha.suite.emit("pre-require", globalThis, "", mocha);
  declareSuite();
  declareSecrets(await driver.activate());
  const passed: string[] = [];
  const failed: string[] = [];
  await new Promise<void>((resolve) => {
    const runner = mocha.run(() => resolve());
    runner.on("pass", (test) => passed.push(test.title));
    runner.on("fail", (test, error: Error) => failed.push(`${test.title}: ${error.message}`));
  });
  writeFileSync(
    process.env["PORTHOLE_HOST_RESULT"] ?? "",
    JSON.stringify({ passed, failed, trusted: workspace.isTrusted }),
  );
  if (failed.length > 0) throw new Error(failed.join("\n"));
}
