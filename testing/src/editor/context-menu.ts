import { setTimeout as pause } from "node:timers/promises";
import type { Locator, Page } from "playwright-core";

/** Opens a row's context menu. Rows above it come and go: the menu of one that was elsewhere in the meantime may be another one's. */
export async function openMenu(page: Page, row: Locator): Promise<Locator> {
  const menu = page.locator(".monaco-menu").last();
  for (;;) {
    await row.scrollIntoViewIfNeeded();
    const before = await row.boundingBox();
    // Not in the middle, where buttons appear under the pointer.
    await row.click({ button: "right", position: { x: 60, y: 10 } });
    await menu.waitFor();
    const after = await row.boundingBox();
    if (before && after && before.y === after.y) return menu;
    await page.keyboard.press("Escape");
    await menu.waitFor({ state: "detached" });
  }
}

/** Opens a row's context menu and chooses; returns everything that was in the menu. */
export async function chooseFromMenu(page: Page, row: Locator, label: string | undefined): Promise<string[]> {
  const menu = await openMenu(page, row);
  const labels = await menu.locator(".action-label").allTextContents();
  if (label === undefined) await page.keyboard.press("Escape");
  else await choose(label);
  await menu.waitFor({ state: "detached" });
  return labels;

  /** A menu takes no click in its first 100 ms; one that has taken it goes, sooner or later. */
  async function choose(text: string): Promise<void> {
    for (let attempt = 1; attempt <= 10 && (await menu.count()) > 0; attempt++) {
      await pause(250);
      const item = menu.getByText(text, { exact: true });
      await item.click({ timeout: 2_000 }).catch(() => {});
      await menu.waitFor({ state: "detached", timeout: 2_000 }).catch(() => {});
    }
  }
}
