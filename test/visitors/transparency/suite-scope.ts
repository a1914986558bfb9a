import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@porthole/common/util";
import type { Scope } from "../../fixture/index.ts";

/** A scope that lasts as long as the present suite. */
export function useSuiteScope(): Scope {
  const ends: ((passed: boolean) => unknown)[] = [];
  after(async () => {
    for (let end = ends.pop(); end; end = ends.pop()) await end(true);
  });
  return {
    defer: (end) => void ends.push(end),
    async folder() {
      const path = await mkdtemp(join(tmpdir(), "porthole-test-"));
      ends.push(() => rm(path, { recursive: true, force: true }));
      return path;
    },
    clock: systemClock,
  };
}
