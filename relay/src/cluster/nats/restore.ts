import { PortholeError } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import type { Secret } from "@porthole/common/util";
import { createSealer } from "../sealed.ts";
import { differences, noSharedRecords } from "../shared-records.ts";
import { connectEngine, later, type EngineConfig } from "./engine.ts";
import { MirrorFile } from "./mirror-file.ts";
import { sealChanges } from "./record-wire.ts";
import { RecordStream } from "./record-stream.ts";

/** Below what one atomic batch may have. */
const recordsPerBatch = 500;

export interface RestoreOptions {
  readonly engine: EngineConfig;
  readonly secret: Secret;
  readonly mirrorPath: string;
  readonly log: Logger;
}

/**
 * Writes a relay's own copy of the records into an engine that has lost them, and returns how many there are. No relay may run with
 * the copy. Rejects with `usage` when there is no copy, or the engine has everything that is in it.
 */
export async function restoreRecords({ engine, secret, mirrorPath, log }: RestoreOptions): Promise<number> {
  const file = new MirrorFile(mirrorPath, createSealer(secret, "mirror"), log);
  const mirror = await file.read();
  if (!mirror) throw new PortholeError("usage", `There is no ${mirrorPath} to restore the records from`);
  const connection = await connectEngine(engine, "porthole-relay restore");
  try {
    const stream = await RecordStream.open(connection, engine, true);
    const state = await stream.state();
    if (state?.created === mirror.created && state.lastSeq >= mirror.revision)
      throw new PortholeError("usage", "The engine has lost nothing that this relay knows");
    const sealer = createSealer(secret, "records");
    const changes = differences(noSharedRecords, mirror.records);
    let last = state?.lastSeq ?? 0;
    for (let from = 0; from < changes.length; from += recordsPerBatch) {
      const part = changes.slice(from, from + recordsPerBatch);
      const seq = await stream.append(sealChanges(sealer, part, last), last);
      if (seq === undefined) throw later("Another relay has written in the meantime; stop all of them first");
      last = seq;
    }
    const after = await stream.state();
    if (after) await file.write({ created: after.created, revision: last, records: mirror.records });
    return changes.length;
  } finally {
    await connection.close();
  }
}
