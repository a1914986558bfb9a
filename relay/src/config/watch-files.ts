import { statSync, watch } from "node:fs";
import { basename, dirname } from "node:path";

/** Several events come for one change, and a certificate and its key are two files. */
const settleMs = 200;

/** Polling interval where the system does not report changes. */
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
 * Watches until the returned function is called. A folder that goes away later is not watched any more; when you restore it, restart the
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
    // The folder is not there yet, or the system watches as much as it may already. Not by Node's watchFile: what happens before its
    // first look it never reports.
    let known = stamps(paths);
    const timer = setInterval(() => {
      const now = stamps(paths);
      if (now !== known) tell();
      known = now;
    }, lookEveryMs).unref();
    return () => clearInterval(timer);
  }
}

/** Returns which files there are, and of when, as a text that can be compared. */
function stamps(paths: readonly string[]): string {
  return paths
    .map((path) => {
      try {
        const stats = statSync(path, { throwIfNoEntry: false });
        return stats ? `${stats.ino} ${stats.mtimeMs}` : "none";
      } catch {
        return "none"; // reading it reports why
      }
    })
    .join("\n");
}
