import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { failed, ok, skipped, stateError } from "@porthole/common/util";
import type { Check } from "./check.ts";

const id = "files";

/** Whether only the relay's own user can read its keys and its enrollments. */
export async function checkStateFolder(stateDir: string, others: readonly string[] = []): Promise<Check[]> {
  if (process.platform === "win32") return [{ id, ...skipped("file modes mean nothing on Windows") }];
  try {
    const names = await readdir(stateDir);
    const { uid } = await stat(stateDir);
    const checks = [
      ...(await look(stateDir, { forbidden: 0o077, wanted: "700", owner: uid })),
      ...(
        await Promise.all(
          names.map((name) => look(join(stateDir, name), { forbidden: 0o077, wanted: "600", owner: uid })),
        )
      ).flat(),
      // Others may read a list of keys, but not write it.
      ...(await Promise.all(others.map((path) => look(path, { forbidden: 0o022, wanted: "644" })))).flat(),
    ];
    if (checks.length > 0) return checks;
    return [{ id, ...ok(`${stateDir} is for its own user only`) }];
  } catch (reason) {
    if ((reason as NodeJS.ErrnoException).code === "ENOENT")
      return [{ id, ...skipped(`${stateDir} is not there yet`) }];
    const { message, hint } = stateError("read", stateDir, reason);
    return [{ id, ...failed(message, hint) }];
  }
}

interface Expected {
  /** Mode bits that must not be set, and the mode that is right. */
  readonly forbidden: number;
  readonly wanted: string;
  /** Undefined: any. */
  readonly owner?: number;
}

async function look(path: string, { forbidden, wanted, owner }: Expected): Promise<Check[]> {
  const found = await stat(path);
  if (!(found.isDirectory() && wanted === "600") && (found.mode & forbidden) !== 0) {
    const finding = `${path} has mode ${(found.mode & 0o777).toString(8)}, so others have access`;
    return [{ id, ...failed(finding, `chmod ${wanted} ${path}`) }];
  }
  if (owner === undefined || found.uid === owner) return [];
  const finding = `${path} belongs to another user than its folder`;
  return [{ id, ...failed(finding, `chown ${owner} ${path}, and run porthole-relay always as that user`) }];
}
