import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startHttp, until } from "@porthole/testing/end-to-end";
import {
  packSampleExtension,
  startOpenRelay,
  useEditor,
  type Settings,
  type Workbench,
} from "@porthole/testing/editor";

/** The editor's own word for a yes to a tool. */
const consent = "Yes";

/** Other extensions and AI assistants expose ports, too, and never without the user. */
describe("The extension for assistants and other extensions", function () {
  this.timeout(600_000);
  const editor = useEditor({ server: async () => ({ extensions: [await packSampleExtension()] }) });
  const { scope } = editor;
  let workbench: Workbench;
  let orders = 0;

  async function open(settings: Settings = {}): Promise<Workbench> {
    const { apiPort } = await startOpenRelay(scope);
    await editor.server.configure({
      "porthole.relays": [{ address: `127.0.0.1:${apiPort}` }],
      "porthole.certificates": "self-signed",
      "chat.disableAIFeatures": false,
      ...settings,
    });
    workbench = await editor.open();
    return workbench;
  }

  /** Makes the sample extension do something; `then` is what the user does in between. */
  async function order(call: string, args: readonly unknown[] = [], then?: () => Promise<void>): Promise<unknown> {
    const id = ++orders;
    await writeFile(join(editor.server.workspace, "order.json"), JSON.stringify({ id, call, args }));
    await workbench.command("Sample: Run");
    await then?.();
    let text = "";
    const look = async (): Promise<boolean> => {
      text = await readFile(join(editor.server.workspace, `answer-${id}.json`), "utf8").catch(() => "");
      return text.endsWith("}");
    };
    await until(look, `the sample has answered ${call}`, 60_000);
    const { value, error } = JSON.parse(text) as { readonly value?: unknown; readonly error?: string };
    if (error !== undefined) throw new Error(error);
    return value;
  }

  const answer = (button: string, text: RegExp) => async (): Promise<void> => {
    const dialog = workbench.page.locator(".monaco-dialog-box");
    await dialog.filter({ hasText: text }).waitFor();
    await workbench.picture(`asked ${button}`);
    await dialog.getByText(button, { exact: true }).click();
  };

  async function visit(url: string): Promise<number | undefined> {
    return (await editor.visit(url))?.status;
  }

  it("has an API that asks the user, tells requests, and stops", async () => {
    const opened = await open();
    const site = await startHttp(scope, (_request, response) => response.end("hello"));
    assert.equal(await order("version"), 1);
    assert.equal(await order("urlOf", [site.port]), undefined);
    const why = { reason: "Sample needs a public URL.", label: "sample", access: "public" };
    const asks = /Expose port .* Anyone with the URL can visit\.\s*Sample needs/;
    await assert.rejects(order("expose", [site.port, why], answer("Cancel", asks)), /does not want/);
    assert.equal(await order("urlOf", [site.port]), undefined);
    await assert.rejects(order("expose", [70_000]), /from 1 to 65535/);

    const exposed = (await order("expose", [site.port, why], answer("Expose", asks))) as { readonly url: string };
    assert.equal(await order("urlOf", [site.port]), exposed.url);
    assert.deepEqual(await order("expose", [site.port]), { port: site.port, url: exposed.url }, "nothing is asked");
    assert.equal(await visit(`${exposed.url}/path?token=s3cret`), 200);
    let received: readonly { readonly target: string; readonly port: number; readonly status: number }[] = [];
    const told = async (): Promise<boolean> => {
      received = (await order("received")) as typeof received;
      return received.some(({ target }) => target.startsWith("/path"));
    };
    await until(told, "the request was told", 60_000);
    const [request] = received.filter(({ target }) => target.startsWith("/path"));
    assert.deepEqual([request?.port, request?.status], [site.port, 200]);
    assert.ok(!JSON.stringify(received).includes("s3cret"), JSON.stringify(received));
    assert.ok(Number(await order("changes")) > 0);
    await opened.showEndpoints();
    await opened.treeRow(/sample.*online/).waitFor();
    await order("stop", [site.port]);
    await opened.treeRow(/sample.*stopped/).waitFor();
    assert.equal(await order("urlOf", [site.port]), undefined);
  });

  it("has tools for assistants, which ask before they publish and return no secrets", async () => {
    const opened = await open({ "porthole.defaultAccess": "shareLink" });
    const site = await startHttp(scope, (_request, response) => {
      response.setHeader("set-cookie", "session=s3cret");
      response.end("hello assistant");
    });
    const names = (await order("tools")) as readonly string[];
    for (const name of ["list", "expose", "stop", "list_requests", "get_request", "replay", "wait_for_request"])
      assert.ok(names.includes(`porthole_${name}`), names.join());
    const use = async (name: string, input: object, then?: () => Promise<void>): Promise<string> =>
      String(await order("tool", [`porthole_${name}`, input], then));
    assert.match(await use("list", {}), /"tunnels": \[\]/);
    await assert.rejects(use("list_requests", {}), /No port is exposed/);
    // The user's default is stricter than what the assistant asks for, and the question says so.
    const asks = /Expose port .* Only visitors with a share link/;
    const wanted = { port: site.port, access: "public" };
    await assert.rejects(use("expose", wanted, answer("Cancel", asks)));
    assert.match(await use("list", {}), /"tunnels": \[\]/);
    const yes = answer(consent, asks);
    const exposed = JSON.parse(await use("expose", wanted, yes)) as { readonly tunnel: { readonly urls: string[] } };
    const link = await opened.copiedUrl();
    const [url = ""] = exposed.tunnel.urls;
    assert.equal(new URL(link).origin, url);
    assert.equal(await visit(url), 401);
    assert.equal(await visit(link), 200);
    const secret = link.slice(-20);
    const listed = await use("list_requests", { filter: "status:200" });
    const [request] = (JSON.parse(listed) as { readonly requests: readonly { readonly id: string }[] }).requests;
    const shown = await use("get_request", { request: request?.id });
    assert.match(shown, /hello assistant/);
    const said = [JSON.stringify(exposed), listed, shown, await use("list_requests", {}), await use("list", {})].join();
    for (const hidden of [secret, "s3cret"]) assert.ok(!said.includes(hidden), hidden);
    const replay = answer(consent, /Send the recorded request/);
    assert.match(await use("replay", { request: request?.id }, replay), /hello assistant/);
    await use("stop", {});
    assert.match(await use("list", {}), /"tunnels": \[\]/);
  });

  it("is an MCP server for agents, which shows the window's tunnels and asks there", async () => {
    const opened = await open({ "porthole.mcpServer": true });
    const site = await startHttp(scope, (_request, response) => response.end("hello agent"));
    await opened.command("MCP: List Servers");
    await opened.pick("Porthole");
    await opened.pick("Start Server");
    let tools: readonly string[] = [];
    const started = async (): Promise<boolean> => {
      tools = ((await order("tools")) as readonly string[]).filter((name) => /^mcp_.*porthole_/.test(name));
      return tools.length === 7;
    };
    await until(started, "the editor has the server's tools", 120_000);
    const use = async (name: string, input: object, then?: () => Promise<void>): Promise<string> =>
      String(await order("tool", [tools.find((each) => each.endsWith(`porthole_${name}`)), input], then));
    assert.match(await use("list", {}), /"tunnels": \[\]/);
    const wanted = { port: site.port, access: "public" };
    // First the editor asks about the server's tool, then the extension about the port.
    const both = (button: string) => async (): Promise<void> => {
      const dialog = workbench.page.locator(".monaco-dialog-box");
      await dialog.filter({ hasNotText: "Expose port" }).getByText(consent, { exact: true }).click();
      await answer(button, /Expose port .* Anyone with the URL can visit\.\s*An AI assistant/)();
    };
    assert.match(await use("expose", wanted, both("Cancel")), /The user said no/);
    assert.match(await use("expose", wanted, both("Expose")), new RegExp(`"local": "localhost:${site.port}"`));
    await opened.showEndpoints();
    await opened.treeRow(/online/).waitFor();
    assert.match(await use("list", {}), /online/);
  });
});
