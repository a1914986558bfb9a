import { PortholeError } from "@porthole/common/errors";
import { createFileAtomic } from "@porthole/common/util";

/** Writes a new file that only this user can read. Rejects with `state`, also when the file exists. */
export async function writeExport(path: string, text: string): Promise<void> {
  if (await createFileAtomic(path, text)) return;
  throw new PortholeError("state", `${path} exists`, { hint: "Name another file, or move that one away." });
}
