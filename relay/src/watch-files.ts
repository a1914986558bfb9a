import { watch } from "node:fs";
import { basename, dirname } from "node:path";

/** Several events come for one change, and a certificate and its key are two files. */
const settleMs = 200;

/**
 * Calls back after any of the files has changed, one call at a time, until the signal aborts. Watches their folders, because
 * editors and other programs replace files rather than write into them.
 */
export async function watchFiles(
  paths: readonly string[],
  signal: AbortSignal,
  onChange: () => Promise<void>,
): Promise<void> {
  const names = new Set(paths.map((path) => basename(path)));
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const watchers = [...new Set(paths.map((path) => dirname(path)))].map((folder) =>
    watch(folder, { persistent: false }, (_event, name) => {
      if (name !== null && !names.has(name)) return;
      clearTimeout(timer);
      timer = setTimeout(() => {
        running = running.then(onChange);
      }, settleMs);
    }),
  );
  await new Promise<void>((resolve) => {
    // A folder that is gone is not watched any more; whoever restores it restarts the relay.
    for (const watcher of watchers) watcher.on("error", () => watcher.close());
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  clearTimeout(timer);
  for (const watcher of watchers) watcher.close();
  await running;
}
