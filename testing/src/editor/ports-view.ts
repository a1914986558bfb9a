import type { Locator, Page } from "playwright-core";
import { comes, ignoreTimeout } from "./browser.ts";

/** The editor's own view of the ports that programs listen on. */
export class PortsView {
  readonly #page: Page;
  readonly #command: (title: string) => Promise<void>;

  /** `command` runs one of the palette. */
  constructor(page: Page, command: (title: string) => Promise<void>) {
    this.#page = page;
    this.#command = command;
  }

  get #panel(): Locator {
    return this.#page.locator(".part.panel");
  }

  /** Opens it. Without a port it is a text, not a table. */
  async show(): Promise<void> {
    await this.#command("Ports: Focus on Ports View");
    await this.#panel.locator(".action-item.checked").filter({ hasText: "Ports" }).waitFor();
  }

  row(port: number): Locator {
    return this.#panel
      .locator(".monaco-list-row")
      .filter({ hasText: String(port) })
      .first();
  }

  /** Waits until it lists the port, which VS Code finds by itself; otherwise forwards it by hand. */
  async forwarded(port: number): Promise<Locator> {
    await this.show();
    const row = this.row(port);
    const listed = (): Promise<boolean> => comes(row, { timeout: 8_000 });
    // What listened before VS Code looked for the first time is not new to it, so it is not listed. The view has no command in the palette
    // before it has a port, and its button another name after that; a row that comes in between takes the input box away.
    while (!(await listed())) {
      // An empty view's button stays, unseen, when there are rows.
      const button = this.#panel.getByText(/^(Forward a Port|Add Port)$/).filter({ visible: true });
      const input = this.#panel.locator(".monaco-inputbox input").filter({ visible: true });
      const fill = async (): Promise<void> => {
        await button.first().click({ timeout: 5_000 });
        await input.first().fill(String(port), { timeout: 5_000 });
        await this.#page.keyboard.press("Enter");
      };
      await fill().catch(ignoreTimeout);
    }
    return row;
  }
}
