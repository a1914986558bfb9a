import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { temporaryFolder } from "@porthole/common/util";

/** The text as the user leaves it in the editor of the environment. */
export async function inEditor(text: string): Promise<string> {
  const folder = await temporaryFolder("porthole-edit-");
  const path = join(folder, "request.http");
  try {
    await writeFile(path, text, { mode: 0o600 });
    const editor = process.env["VISUAL"] || process.env["EDITOR"] || (process.platform === "win32" ? "notepad" : "vi");
    const child = spawn(`${editor} "${path}"`, { shell: true, stdio: "inherit" });
    const [code] = (await once(child, "close")) as [number | null];
    if (code !== 0)
      throw new PortholeError("usage", `The editor ${editor} ended with ${code}`, {
        hint: "Set EDITOR to another one.",
      });
    return await readFile(path, "utf8");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
