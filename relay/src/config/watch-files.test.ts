import { once, EventEmitter } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { watchFiles } from "./watch-files.ts";

describe("watching files", function () {
  this.timeout(120_000);
  const events = new EventEmitter();
  const stop = new AbortController();
  let folder: string;
  const watching: Promise<void>[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-watch-"));
  });
  after(async () => {
    stop.abort();
    await Promise.all(watching);
    await rm(folder, { recursive: true });
  });

  function watch(path: string): void {
    watching.push(
      watchFiles([path], stop.signal, async () => {
        events.emit(path);
      }),
    );
  }

  it("sees one that is put in another's place", async () => {
    const path = join(folder, "list");
    await writeFile(path, "old");
    watch(path);
    const seen = once(events, path);
    await writeFile(`${path}.new`, "new");
    await rename(`${path}.new`, path);
    await seen;
  });

  it("sees one in a folder that is made later", async () => {
    const path = join(folder, "later", "list");
    watch(path);
    const seen = once(events, path);
    // At once: no look may come too late for it.
    mkdirSync(join(folder, "later"));
    writeFileSync(path, "new");
    await seen;
  });
});
