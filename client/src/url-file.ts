import { rm } from "node:fs/promises";
import { stateError, writeFileAtomic } from "@porthole/common/util";

/** A file that has the URLs, one a line, while the tunnels are online for the first time and from then on. */
export interface UrlFile {
  /** Failing to write is told on standard error: the tunnels are worth more than the file. */
  write(urls: readonly string[]): Promise<void>;
  /** Removes it, so that nobody takes its URLs for those of a client that runs. */
  close(): Promise<void>;
}

/** Removes what an earlier run has left. Undefined without a path. Rejects with `state` when something else is there. */
export async function openUrlFile(path: string | undefined): Promise<UrlFile | undefined> {
  if (path === undefined) return undefined;
  await rm(path, { force: true }).catch((reason: unknown) => {
    throw stateError("write", path, reason);
  });
  let writing = Promise.resolve();
  return {
    write(urls) {
      writing = writeFileAtomic(path, urls.map((url) => `${url}\n`).join("")).catch((reason: unknown) => {
        process.stderr.write(`porthole: ${(reason as Error).message}\n`);
      });
      return writing;
    },
    async close() {
      await writing;
      await rm(path, { force: true });
    },
  };
}
