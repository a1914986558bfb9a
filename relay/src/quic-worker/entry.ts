import { existsSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { PortholeError } from "@porthole/common/errors";

/**
 * The QUIC worker's own program: beside this file, in the sources as in `dist`; a bundle (`.mjs`, esbuild.config.mjs) has it in
 * a second file. Throws `unavailable` when somebody has copied the first one only.
 */
export function workerEntry(): string {
  const extension = extname(import.meta.url);
  const name = extension === ".mjs" ? "porthole-relay-quic.mjs" : `main${extension}`;
  const path = fileURLToPath(new URL(name, import.meta.url));
  if (!existsSync(path)) throw new PortholeError("unavailable", `The relay's second file is missing: ${path}`);
  return path;
}
