import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { silentLogger } from "@porthole/common/log";
import { systemClock } from "@porthole/common/util";
import { EnrollmentFile } from "./enrollment-file.ts";
import type { Enrollments } from "./enrollments.ts";
import { addInvite } from "./invites.ts";

const { signal } = new AbortController();

describe("the enrollments on disk", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-enrollments-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const open = (): Promise<EnrollmentFile> =>
    EnrollmentFile.open(join(folder, "admission.json"), { clock: systemClock, log: silentLogger });
  const invite = (file: EnrollmentFile): Promise<Enrollments> =>
    file.update(
      (enrollments, now) => addInvite(enrollments, { uses: 1, expiresAt: now + 3_600_000 }, now).enrollments,
      signal,
    );
  const invites = ({ state }: EnrollmentFile): number => Object.keys(state.invites).length;

  it("does not forget what was just written for what is still being read", async () => {
    const file = await open();
    let most = 0;
    const look = (): void => {
      assert.ok(invites(file) >= most, `${invites(file)} invites after ${most}`);
      most = invites(file);
    };
    for (let round = 1; round <= 50; round++) {
      const progress = { isOver: false, reading: 0 };
      const update = invite(file).finally(() => (progress.isOver = true));
      while (!progress.isOver || progress.reading > 0) {
        // Some are always under way, wherever the update is.
        for (; !progress.isOver && progress.reading < 8; progress.reading++)
          void file.reread().finally(() => (progress.reading -= 1));
        await turn();
        look();
      }
      await update;
      assert.equal(most, round);
    }
  });

  it("has what was changed between its opening and the watch", async () => {
    const file = await open();
    await invite(await open());
    await new Promise<void>((resolve) => file.watch(resolve));
    assert.equal(invites(file), 1);
    await file.close();
  });
});
