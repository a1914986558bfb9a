import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Locator } from "playwright-core";
import { useEditor } from "@porthole/testing/editor";

/** `npm run animation`: makes the moving picture of both READMEs from the real product. Not a test, but it fails when a step does. */

const file = join(import.meta.dirname, "..", "..", "docs", "images", "expose.gif");
const maxBytes = 1_000_000;
const size = { width: 1_000, height: 600 };
/** Writes GIFs; needed here only. */
const encoder = "gifenc@1.0.3";
const port = 3_000;
const shop = `import { createServer } from "node:http";
createServer((request, response) => response.end("The shop")).listen(${port});
`;
/** Whatever else runs on this machine is not for the picture. */
const onlyThisPort = {
  "remote.portsAttributes": { [port]: { onAutoForward: "silent" } },
  "remote.otherPortsAttributes": { onAutoForward: "ignore" },
};
const pointer = "M1 1v19l5-4.5 3.5 7.5 3-1.4L9 14h7z";

interface Frame {
  readonly png: Buffer;
  readonly ms: number;
}

describe("The moving picture", function () {
  this.timeout(600_000);
  const editor = useEditor();
  const { scope } = editor;

  it("shows how a port gets a URL by a right click", async () => {
    await editor.startRelay({ "workbench.activityBar.location": "hidden", ...onlyThisPort });
    const { workspace } = editor.server;
    await writeFile(join(workspace, "shop.mjs"), shop);
    const workbench = await editor.open();
    const { page } = workbench;
    await page.setViewportSize(size);
    await workbench.command("View: Toggle Primary Side Bar Visibility");
    // The Ports view shows the command as it was typed.
    const site = spawn("node", ["shop.mjs"], { cwd: workspace, stdio: "ignore" });
    const ended = once(site, "exit");
    scope.defer(() => (site.kill(), ended));
    const frames: Frame[] = [];
    /** The pointer is the page's own: a screenshot has none. */
    const frame = async (ms: number, at?: Locator): Promise<void> => {
      if (at) {
        const box = (await at.boundingBox()) ?? assert.fail("it is not to be seen");
        await page.mouse.move(box.x + Math.min(60, box.width / 2), box.y + box.height / 2);
        await page.evaluate(
          `{ const it = document.getElementById("pointer") ?? document.body.appendChild(document.createElement("div"));
             it.id = "pointer";
             it.style.cssText = "position:fixed;z-index:99999;pointer-events:none;left:${box.x + Math.min(60, box.width / 2)}px;top:${box.y + box.height / 2}px";
             it.innerHTML = '<svg width="20" height="28"><path d="${pointer}" fill="white" stroke="black"/></svg>'; }`,
        );
      }
      frames.push({ png: await page.screenshot({ animations: "disabled" }), ms });
    };

    const row = await workbench.ports.forwarded(port);
    await workbench.dismissNotifications();
    await workbench.ports.show();
    await frame(1_200, row);
    const menu = await workbench.openMenu(row);
    await frame(400);
    const entry = menu.getByText("Expose with Porthole", { exact: true }).first();
    await entry.hover();
    await frame(1_400, entry);
    await page.keyboard.press("Escape");
    await workbench.contextMenu(row, "Expose with Porthole");
    const toast = workbench.notification("Copied https://");
    await toast.waitFor();
    await frame(2_400, toast);
    const url = await workbench.copiedUrl();
    await workbench.dismissNotifications();
    for (const path of ["/", "/products?page=2", "/cart"]) await editor.visit(new URL(path, url).href);
    await workbench.showEndpoints();
    const endpoint = workbench.treeRow(/online/);
    await endpoint.waitFor();
    await frame(1_600, endpoint);
    const requests = await workbench.requestsView();
    const request = requests.locator(".row").filter({ hasText: "/products" }).first();
    await request.click();
    await requests.locator(".detail").getByRole("tab", { name: "Response" }).waitFor();
    await frame(2_400);

    const gif = await encode(frames);
    assert.ok(gif.length < maxBytes, `${gif.length} bytes`);
    await writeFile(file, gif);
    console.log(`      ${frames.length} frames, ${gif.length} bytes`);
  });

  /** In a page, which reads PNG by itself. */
  async function encode(frames: readonly Frame[]): Promise<Buffer> {
    const page = await editor.browser.newPage();
    try {
      const code = `data:text/javascript;base64,${(await encoderCode()).toString("base64")}`;
      const data = frames.map(({ png, ms }) => ({ ms, png: `data:image/png;base64,${png.toString("base64")}` }));
      const base64 = await page.evaluate<string>(`(async () => {
        const { GIFEncoder, quantize, applyPalette } = await import(${JSON.stringify(code)});
        const gif = GIFEncoder();
        for (const { png, ms } of ${JSON.stringify(data)}) {
          const bitmap = await createImageBitmap(await (await fetch(png)).blob());
          const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
          context.drawImage(bitmap, 0, 0);
          const { data, width, height } = context.getImageData(0, 0, bitmap.width, bitmap.height);
          const palette = quantize(data, 128);
          gif.writeFrame(applyPalette(data, palette), width, height, { palette, delay: ms });
        }
        gif.finish();
        return new Uint8Array(gif.bytes()).toBase64?.() ?? btoa(Array.from(gif.bytes(), (byte) => String.fromCharCode(byte)).join(""));
      })()`);
      return Buffer.from(base64, "base64");
    } finally {
      await page.close();
    }
  }
});

/** Installed once on this machine: nothing else needs it. */
async function encoderCode(): Promise<Buffer> {
  const folder = join(homedir(), ".cache", "porthole-test", encoder);
  const code = join(folder, "node_modules", "gifenc", "dist", "gifenc.esm.js");
  if (!existsSync(code)) {
    await mkdir(folder, { recursive: true });
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
    const args = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder, encoder];
    await promisify(execFile)("npm", args, { env, cwd: folder, timeout: 120_000 });
  }
  return readFile(code);
}
