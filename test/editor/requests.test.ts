import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import type { Frame } from "playwright-core";
import { WebSocketServer } from "ws";
import { sized, soon, startHttp, until } from "@porthole/testing/end-to-end";
import { openPage, useEditor } from "@porthole/testing/editor";

/** What a visitor may send to the viewer of its requests. */
const hostile = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>\u001b[31m\u202e";
/** More than a list of a thousand rows in the page would take. */
const many = sized(1_000, 5_000);

describe("The Requests view in an editor", function () {
  this.timeout(600_000);
  const editor = useEditor();
  const { scope } = editor;

  it("shows requests at once, their bodies, and sends them again as they were or changed; what came in never runs", async () => {
    const quiet = { "porthole.notifyWhenReady": false, "remote.autoForwardPorts": false };
    await editor.startRelay({ ...quiet, "porthole.notifyOnWebhook": true });
    const workbench = await editor.open();
    const seen: string[] = [];
    const sockets = new WebSocketServer({ noServer: true });
    sockets.on("connection", (socket) =>
      socket.on("message", (data) => socket.send(`echo ${(data as Buffer).toString()}`)),
    );
    const site = await startHttp(
      scope,
      (incoming, response) => {
        let body = "";
        incoming.setEncoding("utf8").on("data", (text: string) => (body += text));
        incoming.on("end", () => {
          // A browser asks for the icon when it likes.
          if (!/^\/(many|favicon)/.test(incoming.url ?? "")) seen.push(`${incoming.method} ${incoming.url} ${body}`);
          response.setHeader("Content-Type", incoming.url === "/json" ? "application/json" : "text/html");
          response.end(incoming.url === "/json" ? JSON.stringify({ given: body }) : hostile);
        });
      },
      {
        onUpgrade: (incoming, socket, head) =>
          sockets.handleUpgrade(incoming, socket, head, (ws) => sockets.emit("connection", ws)),
      },
    );
    await workbench.choosePort(site.port);
    await workbench.statusBarItem.filter({ hasText: String(site.port) }).waitFor();
    const url = await workbench.copiedUrl();
    const view = await workbench.requestsView();
    const visitor = await openPage(editor.browser);
    await visitor.goto(url);

    // Within 200 ms, by the page's own clock: from the answer that a visitor has to the row that one sees.
    const row = (text: string) => view.locator(".space .row").filter({ hasText: text }).first();
    await row("GET").waitFor();
    const times: number[] = [];
    // The best of several: a machine that does something else makes any of them longer.
    while (times.length < 12 && !times.some((ms) => ms < 200)) {
      const path = `/timed/${times.length}`;
      times.push(await appearance(view, path, () => visitor.evaluate(`fetch('${path}').then(() => {})`)));
    }
    assert.ok(Math.min(...times) < 1_000, `${times.join(", ")} ms`);
    console.log(`      a request is in the list after ${times.join(", ")} ms`);

    await visitor.evaluate(
      "fetch('/json', { method: 'POST', headers: { 'content-type': 'text/plain', authorization: 'Bearer s3cret' }, body: 'one' }).then(() => {})",
    );
    await row("/json").click();
    const detail = view.locator(".detail");
    await detail.getByRole("tab", { name: "Response" }).click();
    await detail.locator("pre").filter({ hasText: '"given": "one"' }).waitFor();
    await detail.getByText("Headers", { exact: true }).click();
    await detail.getByText("authorization").first().waitFor();
    assert.doesNotMatch(await detail.innerText(), /s3cret/);

    await detail.getByRole("button", { name: "Replay" }).click();
    await until(() => seen.filter((each) => each === "POST /json one").length === 2, "the replay has come");
    // The same by the keyboard, as a text in an editor.
    await detail.getByRole("button", { name: "Edit and Send" }).focus();
    await workbench.page.keyboard.press("Enter");
    const textEditor = workbench.page.locator(".part.editor .monaco-editor");
    await textEditor.locator(".view-line").filter({ hasText: "POST /json" }).waitFor();
    await workbench.page.keyboard.press("Control+End");
    await workbench.page.keyboard.type(" and two");
    await textEditor.locator(".view-line").filter({ hasText: "one and two" }).waitFor();
    await workbench.picture("requests edit");
    await workbench.page.keyboard.press("Control+Alt+Enter");
    await until(() => seen.includes("POST /json one and two"), "the changed replay has come");
    // A low panel has no room for the title.
    await detail.getByText("POST /json", { exact: true }).waitFor({ state: "attached" });

    // A body in an editor, in its own language; two requests in the diff editor.
    // The view moves on to the replay when its answer is there.
    const answer = detail.locator("pre").filter({ hasText: '"given": "one and two"' });
    await until(async () => {
      await detail.getByRole("tab", { name: "Response" }).click();
      return answer.waitFor({ timeout: 10_000 }).then(
        () => true,
        () => false,
      );
    }, "the answer to the replay");
    await detail.getByRole("button", { name: "Open Body in Editor" }).click();
    await workbench.page.locator(".tab.active").filter({ hasText: "response.json" }).waitFor();
    await workbench.page.locator(".statusbar-item").filter({ hasText: "JSON" }).waitFor();
    await textEditor.locator(".view-line").filter({ hasText: '"given": "one and two"' }).waitFor();
    await detail.getByRole("button", { name: "Compare with…" }).click();
    await workbench.pick("POST /json");
    const diff = workbench.page.locator(".part.editor .monaco-diff-editor");
    await diff.locator(".char-insert").first().waitFor();
    await diff.locator(".modified .view-line").filter({ hasText: "one and two" }).first().waitFor();
    await workbench.picture("requests diff");

    const focused = (): Promise<string | null> =>
      view.evaluate<string | null>("document.activeElement.getAttribute('aria-label')");
    // Enter leads to the actions, and does none of them.
    const before = seen.length;
    await view.locator(".rows").focus();
    await workbench.page.keyboard.press("Enter");
    await until(async () => (await focused()) === "Replay", "the first action has the focus");
    await visitor.evaluate("fetch('/after').then(() => {})");
    await row("/after").waitFor();
    assert.deepEqual(seen.slice(before), ["GET /after "]);

    // The keyboard's focus stays among the actions when they change.
    await detail.getByRole("button", { name: "Show Secrets" }).focus();
    await workbench.page.keyboard.press("Enter");
    await detail.getByRole("button", { name: "Hide Secrets" }).waitFor();
    assert.equal(await focused(), "Hide Secrets");
    await workbench.page.keyboard.press("Enter");
    await until(async () => (await focused()) === "Show Secrets", "secrets are hidden again");

    // A page's own requests are no webhooks: there was no message until now.
    const notice = workbench.notification(/was answered with 200/);
    assert.equal(await notice.count(), 0);
    await postWebhook(url);
    await notice.filter({ hasText: "POST /webhook was answered with 200" }).waitFor();
    await notice.getByText("Show", { exact: true }).click();
    await detail.getByText("POST /webhook?secret=<redacted>", { exact: true }).waitFor({ state: "attached" });

    await visitor.evaluate(
      "new Promise((done) => { const socket = new WebSocket(location.origin.replace('https', 'wss')); socket.onopen = () => socket.send('over the wire'); socket.onmessage = () => done(); })",
    );
    await row("WS").click();
    await detail.getByText("Messages (").click();
    await detail.locator(".messages .text").filter({ hasText: "echo over the wire" }).waitFor();

    await visitor.goto(`${url}/?q=${encodeURIComponent(hostile)}`);
    await row("onerror").click();
    await detail.getByRole("tab", { name: "Response" }).click();
    const shown = detail.locator("pre");
    await shown.filter({ hasText: "<img src=x onerror" }).waitFor();
    assert.match(await shown.innerText(), /\\u\{1b\}\[31m\\u\{202e\}/);
    assert.equal(await view.locator("pre img, pre script").count(), 0);
    assert.notEqual(await view.title(), "owned");
    await workbench.picture("requests");

    // Thousands of rows: only those in view are made, and the last is a key away.
    await visitor.evaluate(
      `(async () => { for (let at = 0; at < ${many}; at += 50) await Promise.all(Array.from({ length: 50 }, (_, i) => fetch('/many?' + (at + i)).then((r) => r.arrayBuffer()))); })()`,
    );
    const list = view.locator(".rows");
    await until(
      async () => (await list.evaluate((rows) => rows.scrollHeight)) > many * 20,
      "the list had all of them",
      120_000,
    );
    await list.focus();
    await workbench.page.keyboard.press("Home");
    await row("/many").waitFor();
    await workbench.page.keyboard.press("End");
    await until(
      async () => (await list.evaluate((rows) => rows.scrollTop)) > many * 20,
      "the end of the list is shown",
    );
    assert.ok((await view.locator(".space .row").count()) < 200);
    await workbench.picture("requests, many");
    await visitor.close();
    sockets.close();
    await workbench.statusBarItem.click();
    await workbench.pick(/Stop/);
    await workbench.statusBarItem.waitFor({ state: "detached" });
  });
});

/** As a service sends one. */
async function postWebhook(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const sent = request({
    ...{ host: "127.0.0.1", port, servername: hostname, path: "/webhook?secret=1", method: "POST", agent: false },
    headers: { host: `${hostname}:${port}` },
    rejectUnauthorized: false,
  });
  sent.end("{}");
  const [response] = (await soon(once(sent, "response"), "the webhook's answer")) as [IncomingMessage];
  response.resume();
  await soon(once(response, "end"), "the end of the webhook's answer");
}

/** From a request's answer to its row, in milliseconds. */
async function appearance(view: Frame, path: string, visit: () => Promise<unknown>): Promise<number> {
  // As text: it runs in the page, whose names are not ours.
  const shown = view.evaluate<number>(`new Promise((resolve) => {
    const look = () => {
      if (!document.querySelector(".space").textContent.includes(${JSON.stringify(path)})) return;
      observer.disconnect();
      resolve(Date.now());
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, { childList: true, subtree: true });
    look();
  })`);
  await visit();
  const answeredAt = Date.now();
  return Math.max(0, (await soon(shown, `the row of ${path}`)) - answeredAt);
}
