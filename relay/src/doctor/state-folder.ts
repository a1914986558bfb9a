import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { stateError } from "@porthole/common/util";
import type { Finding } from "./finding.ts";

const check = "files";

/** Whether only the relay's own user can read its keys and its book. */
export async function checkStateFolder(stateDir: string, others: readonly string[] = []): Promise<Finding[]> {
  if (process.platform === "win32") return [{ check, verdict: "skipped", text: "file modes mean nothing on Windows" }];
  try {
    const names = await readdir(stateDir);
    const { uid } = await stat(stateDir);
    const findings = [
      ...(await look(stateDir, { forbidden: 0o077, wanted: "700", owner: uid })),
      ...(
        await Promise.all(
          names.map((name) => look(join(stateDir, name), { forbidden: 0o077, wanted: "600", owner: uid })),
        )
      ).flat(),
      // Others may read a list of keys, but not write it.
      ...(await Promise.all(others.map((path) => look(path, { forbidden: 0o022, wanted: "644" })))).flat(),
    ];
    if (findings.length > 0) return findings;
    return [{ check, verdict: "ok", text: `${stateDir} is for its own user only` }];
  } catch (reason) {
    if ((reason as NodeJS.ErrnoException).code === "ENOENT")
      return [{ check, verdict: "skipped", text: `${stateDir} is not there yet` }];
    const { message, hint } = stateError("read", stateDir, reason);
    return [{ check, verdict: "problem", text: message, ...(hint === undefined ? {} : { fix: hint }) }];
  }
}

interface Expected {
  /** Mode bits that must not be set, and the mode that is right. */
  readonly forbidden: number;
  readonly wanted: string;
  /** Undefined: any. */
  readonly owner?: number;
}

async function look(path: string, { forbidden, wanted, owner }: Expected): Promise<Finding[]> {
  const found = await stat(path);
  // Whoever can't enter the folder can't reach a socket in it, and its mode is the umask's.
  if (!found.isSocket() && !(found.isDirectory() && wanted === "600") && (found.mode & forbidden) !== 0) {
    const text = `${path} has mode ${(found.mode & 0o777).toString(8)}, so others have access`;
    return [{ check, verdict: "problem", text, fix: `chmod ${wanted} ${path}` }];
  }
  if (owner === undefined || found.uid === owner) return [];
  const text = `${path} belongs to another user than its folder`;
  return [
    { check, verdict: "problem", text, fix: `chown ${owner} ${path}, and run porthole-relay always as that user` },
  ];
}
