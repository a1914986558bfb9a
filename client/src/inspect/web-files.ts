import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export interface PageFiles {
  readonly script: string;
  readonly style: string;
}

/** Reads the page: beside the bundle, or in a checkout, whose page is bundled when it is asked for. */
export async function readPageFiles(): Promise<PageFiles> {
  const folder = extname(import.meta.url) === ".mjs" ? new URL(".", import.meta.url) : await bundled();
  const [script, style] = await Promise.all(
    ["porthole-requests.js", "porthole-requests.css"].map((name) => readFile(new URL(name, folder), "utf8")),
  );
  return { script: script ?? "", style: style ?? "" };
}

/** From its sources, or from what `npm run build` has made of them (`dist`, where the bundles are as well). */
async function bundled(): Promise<URL> {
  const built = new URL("../", import.meta.url);
  if (existsSync(new URL("porthole-requests.js", built))) return built;
  const root = new URL("../../../", import.meta.url);
  await promisify(execFile)(process.execPath, [fileURLToPath(new URL("esbuild.config.mjs", root)), "--page"]);
  return new URL("dist/", root);
}
