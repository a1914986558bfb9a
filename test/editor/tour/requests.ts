import type { Locator } from "playwright-core";
import { openPage } from "@porthole/testing/editor";
import type { Scene } from "./scene.ts";

/** The Requests view with visitors of this URL. */
export async function requests({ browser, workbench, picture }: Scene, url: string): Promise<void> {
  const { texts } = workbench;
  const visitor = await openPage(browser);
  try {
    await visitor.goto(url);
    await visitor.evaluate("fetch('/orders', { method: 'POST', body: 'one' }).then(() => {})");
    const view = await workbench.requestsView();
    const row = (text: string): Locator => view.locator(".space .row").filter({ hasText: text }).first();
    const detail = view.locator(".detail");
    await row("/orders").click();
    await detail.getByRole("tab", { name: texts.t("Response"), exact: false }).click();
    await detail.locator("pre").filter({ hasText: "items" }).waitFor();
    await picture("requests");
    await detail.getByRole("tab", { name: texts.t("Headers") }).click();
    await detail.getByText("content-type").first().waitFor();
    await picture("requests, headers");
    await detail.getByRole("button", { name: texts.t("Edit and Send") }).click();
    await workbench.page.locator(".part.editor .view-line").filter({ hasText: "POST /orders" }).waitFor();
    await picture("requests, edit");
    await workbench.command("View: Close All Editors");

    await visitor.evaluate(
      "new Promise((done) => { const socket = new WebSocket(location.origin.replace('https', 'wss') + '/live'); let left = 5; socket.onopen = () => socket.send('hello'); socket.onmessage = ({ data }) => --left > 0 ? socket.send(`number ${left}`) : done(); })",
    );
    await row("WS").click();
    await detail.getByRole("tab", { name: texts.like("Messages ({0})") }).click();
    await detail.locator(".messages .text").filter({ hasText: "number 1" }).last().waitFor();
    await picture("requests, messages");
  } finally {
    await visitor.close();
  }
}
