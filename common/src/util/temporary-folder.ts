import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PortholeError } from "../errors.ts";
import { stateError } from "./state-file.ts";

/** A new folder that only this user may enter, in the system's temporary one. The caller removes it. Rejects with `state`. */
export async function temporaryFolder(prefix: string): Promise<string> {
  const parent = tmpdir();
  try {
    return await mkdtemp(join(parent, prefix));
  } catch (cause) {
    throw new PortholeError("state", stateError("write", parent, cause).message, {
      cause,
      hint: "It is the folder for temporary files; the environment variable TMPDIR (on Windows TEMP) names another one.",
    });
  }
}
