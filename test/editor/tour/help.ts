import type { Scene } from "./scene.ts";

/** Where one looks when something is wrong or to be set. */
export async function help({ workbench, relay, relayAddress, picture }: Scene): Promise<void> {
  const { page, texts } = workbench;
  await workbench.command(texts.command("porthole.doctor"));
  // Whatever it says: on a busy machine a hop may be too slow.
  const outcome = workbench.notification(texts.t("Show Details"));
  await outcome.waitFor();
  await workbench.notification(texts.like("Diagnosing the connection of {0}")).waitFor({ state: "detached" });
  await picture("doctor, outcome");
  await outcome.getByText(texts.t("Show Details")).click();
  await workbench.frameWith("p strong");
  await workbench.dismissNotifications();
  await picture("doctor");

  await workbench.command(texts.command("porthole.addRelay"));
  await workbench.quickInput(texts.t("Add a Relay (1/2)"));
  await picture("add a relay 1");
  await workbench.answer(relayAddress);
  await workbench.quickInput(texts.t("Add a Relay (2/2)"));
  await picture("add a relay 2");
  await workbench.answer(relay.fingerprint);
  await workbench.notification(texts.like("Added the relay {0}.")).waitFor();
  await picture("add a relay, tested");
  await workbench.dismissNotifications();

  await workbench.command(texts.command("porthole.openSettings"));
  await page.locator(".settings-editor .setting-item-contents").nth(2).waitFor();
  await picture("settings");
  // They are a dialog over everything else.
  await page.keyboard.press("Escape");
  await page.locator(".settings-editor").waitFor({ state: "detached" });
}
