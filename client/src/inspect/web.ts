import { spawn } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@porthole/common/util";
import { withRunningClient } from "../running-client.ts";
import { stopController } from "../stop-signals.ts";
import { readPageFiles } from "./web-files.ts";
import { startInspectServer } from "./web-server.ts";

/** `porthole inspect --web`: the Requests page in a browser, for all tunnels of the running client. Resolves when the user stops it, or the client ends. */
export async function inspectInBrowser(values: {
  readonly "state-dir": string | undefined;
  readonly "web-port": number | undefined;
}): Promise<void> {
  const { signal } = stopController();
  await withRunningClient(values["state-dir"], async (client) => {
    signal.addEventListener("abort", () => client.close());
    const server = await startInspectServer(client, await readPageFiles(), values["web-port"] ?? 0);
    const page = process.stdout.isTTY ? await openInBrowser(server.url) : undefined;
    process.stdout.write(`${server.url}\n`);
    process.stderr.write("Requests of the running client, for your browser on this machine. Ctrl-C ends it.\n");
    try {
      await client.closed;
      if (!signal.aborted) process.stderr.write("The client has ended.\n");
    } finally {
      await server.close();
      if (page !== undefined) await rm(page, { recursive: true, force: true });
    }
  });
}

/**
 * Opens a page that leads to the URL: other users see the arguments of a process, and the key is in the URL. Returns its folder, or
 * undefined where nothing can show it.
 */
async function openInBrowser(url: string): Promise<string | undefined> {
  const { DISPLAY: x11, WAYLAND_DISPLAY: wayland } = process.env;
  const [program, ...args] =
    process.platform === "darwin"
      ? ["open"]
      : process.platform === "win32"
        ? ["cmd", "/c", "start", ""]
        : (x11 ?? wayland) === undefined
          ? []
          : ["xdg-open"];
  if (program === undefined) return undefined;
  const folder = await temporaryFolder("porthole-inspect-");
  const file = join(folder, "inspect.html");
  await writeFile(file, `<!doctype html><meta http-equiv="refresh" content="0;url=${url}">`, { mode: 0o600 });
  const child = spawn(program, [...args, file], { stdio: "ignore", detached: true });
  // Without a browser the address that is printed is the way.
  child.on("error", () => {});
  child.unref();
  return folder;
}
