import { PortholeError } from "@porthole/common/errors";
import { createFileAtomic } from "@porthole/common/util";

/** What visitors said is for this user only, and replaces nothing. Rejects with `state`. */
export async function writeExport(path: string, text: string): Promise<void> {
  if (await createFileAtomic(path, text)) return;
  throw new PortholeError("state", `${path} exists`, { hint: "Name another file, or move that one away." });
}
