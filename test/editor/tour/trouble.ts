import { openPage } from "@porthole/testing/editor";
import type { Scene } from "./scene.ts";

/** The service is closed, then the relay is away, then the port is stopped. */
export async function trouble({ browser, workbench, relay, site, picture }: Scene, url: string): Promise<void> {
  const { texts } = workbench;
  await workbench.showEndpoints();
  await site.close();
  // The first visitor that meets it reports it.
  const visitor = await openPage(browser);
  await visitor.goto(url);
  await workbench.treeRow(texts.t("online, but the local port is closed")).waitFor();
  await visitor.close();
  await picture("local port closed");
  await relay.close();
  // The port's own row, not only the relay's below it.
  const away = texts.t("relay unreachable");
  await workbench.treeRow(new RegExp(`${site.port}.*${away}`)).waitFor();
  await picture("relay away");
  await workbench.statusBarItem.click();
  await workbench.quickPickRow(texts.t("Stop")).click();
  await workbench.treeRow(texts.t("stopped")).waitFor();
  await picture("stopped");
}
