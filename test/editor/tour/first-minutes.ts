import type { Scene } from "./scene.ts";

/** Nothing is known, a port is exposed, a relay is joined for it: answers the URL. */
export async function firstMinutes({ workbench, relay, relayAddress, site, picture }: Scene): Promise<string> {
  const { page, texts } = workbench;
  await workbench.showEndpoints();
  await workbench.endpointsPane.locator(".welcome-view-content .monaco-button").first().waitFor();
  await workbench.frameWith(".rows");
  await picture("first");

  await workbench.command(texts.command("porthole.openWalkthrough"));
  await page.locator(".gettingStartedContainer").getByText(texts.manifest("walkthrough.relay.title")).first().waitFor();
  const small = page.viewportSize() ?? { width: 1280, height: 800 };
  // Its drawings are only there where they have room.
  await page.setViewportSize({ width: 1700, height: 1000 });
  await picture("walkthrough");
  await page.setViewportSize(small);
  await workbench.command(texts.command("porthole.expose"));
  await workbench.quickInput(texts.t("Expose a Port"));
  await workbench.quickPickRow(/\d/).waitFor();
  await picture("choose a port");
  await page.keyboard.press("Escape");

  const row = await workbench.ports.forwarded(site.port);
  await workbench.openMenu(row);
  await picture("ports menu");
  await page.keyboard.press("Escape");
  await workbench.contextMenu(row, texts.commandTitle("porthole.expose"));
  await workbench.quickInput(texts.t("To get a public URL, this port needs a relay"));
  await picture("no relay");
  await workbench.quickPickRow(texts.t("Join with Invite…")).click();
  await workbench.quickInput(texts.t("Join a Relay"));
  await picture("join a relay");
  await workbench.answer(`vscode://porthole.porthole/join?relay=${relayAddress}&pin=${relay.fingerprint}&token=once`);
  const dialog = page.locator(".monaco-dialog-box").filter({ hasText: texts.like("Join the relay {0}?") });
  await dialog.waitFor();
  await picture("join a relay, asked");
  await dialog.getByText(texts.t("Join"), { exact: true }).click();
  await workbench.quickPickRow(texts.t("Signed webhooks only…")).waitFor();
  await picture("who may visit, first");
  await workbench.quickPickRow(texts.t("Everyone with the URL")).click();
  await workbench.notification(texts.like("Copied {0} → {1}.")).waitFor();
  await picture("notification");
  const url = await workbench.copiedUrl();
  await workbench.dismissNotifications();
  await workbench.openMenu(workbench.ports.row(site.port));
  await picture("ports menu, exposed");
  await page.keyboard.press("Escape");
  return url;
}
