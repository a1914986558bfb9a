import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@porthole/common/log";
import { systemClock } from "@porthole/common/util";
import { openEnrollmentFile } from "./enrollment-file.ts";
import { ledgerCompliance } from "./ledger-compliance.test.ts";

describe("a ledger in a file", function () {
  this.timeout(30_000);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-ledger-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  ledgerCompliance(() => openEnrollmentFile(folder, { clock: systemClock, log: silentLogger }));
});
