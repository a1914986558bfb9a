import type { Scene } from "./scene.ts";

/** What one can do with a port that is exposed at this URL. */
export async function exposedPort({ workbench, picture }: Scene, url: string): Promise<void> {
  const { page, texts } = workbench;
  await workbench.command(texts.command("porthole.addSecondary"));
  await workbench.quickInput(texts.t("Add a Second URL"));
  await picture("secondary");
  await page.keyboard.press("Enter");
  await workbench.copiedUrl(url);
  await workbench.showEndpoints();
  const endpoint = workbench.treeRow(new URL(url).host);
  await endpoint.click();
  await page.keyboard.press("ArrowRight");
  await workbench.treeRow(texts.t("Second URL")).waitFor();
  await workbench.treeRow(texts.t("Local service")).waitFor();
  await picture("endpoints");
  await workbench.openMenu(endpoint);
  await picture("endpoints menu");
  await page.keyboard.press("Escape");

  await workbench.statusBarItem.hover();
  await page.locator(".monaco-hover").getByText(url).waitFor();
  await picture("status bar");
  await workbench.statusBarItem.click();
  await workbench.quickPickRow(texts.t("Stop")).waitFor();
  await picture("actions");
  await workbench.pick(texts.t("Show QR Code"));
  await workbench.frameWith("[role=img] svg");
  await picture("QR code");

  await workbench.command(texts.command("porthole.protect"));
  await workbench.quickInput(texts.t("Who may visit {0}?").split("{0}", 1)[0] ?? "");
  await picture("who may visit");
  await workbench.pick(texts.t("Password…"));
  await workbench.quickInput(texts.t("Password for {0}").replace(/ ?\{0\} ?/, ""));
  await picture("password");
  await page.keyboard.press("Escape");
  await workbench.command(texts.command("porthole.exportIdentity"));
  await page.locator(".quick-input-widget input[type=password]").waitFor();
  await picture("export key");
  await page.keyboard.press("Escape");
}
