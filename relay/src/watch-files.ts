import { unwatchFile, watch, watchFile, type Stats } from "node:fs";
import { basename, dirname } from "node:path";

/** Several events come for one change, and a certificate and its key are two files. */
const settleMs = 200;

/** Where the system does not tell. */
const lookEveryMs = 2_000;

/**
 * Calls back after any of the files has changed, one call at a time, until the signal aborts. Watches their folders, because
 * editors and other programs replace files rather than write into them.
 */
export async function watchFiles(
  paths: readonly string[],
  signal: AbortSignal,
  onChange: () => Promise<void>,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const tell = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      running = running.then(onChange);
    }, settleMs);
  };
  const folders = [...new Set(paths.map((path) => dirname(path)))];
  const ends = folders.map((folder) =>
    watchFolder(
      folder,
      paths.filter((path) => dirname(path) === folder),
      tell,
    ),
  );
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  clearTimeout(timer);
  for (const end of ends) end();
  await running;
}

/**
 * Until the answer is called. A folder that goes away later is not watched any more; whoever restores it restarts the
 * relay.
 */
function watchFolder(folder: string, paths: readonly string[], tell: () => void): () => void {
  const names = new Set(paths.map((path) => basename(path)));
  try {
    const watcher = watch(folder, { persistent: false }, (_event, name) => {
      if (name === null || names.has(name)) tell();
    });
    watcher.on("error", () => watcher.close());
    return () => watcher.close();
  } catch {
    // The folder is not there yet, or the system watches as much as it may already.
    const look = (now: Stats, before: Stats): void => {
      // Node begins with a call for each file that is not there.
      if (now.mtimeMs !== before.mtimeMs || now.ino !== before.ino) tell();
    };
    for (const path of paths) watchFile(path, { persistent: false, interval: lookEveryMs }, look);
    return () => {
      for (const path of paths) unwatchFile(path, look);
    };
  }
}
