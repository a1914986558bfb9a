import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@porthole/common/log";
import { Secret, systemClock } from "@porthole/common/util";
import { until } from "@porthole/testing";
import { startNats, whyNoNats, type NatsServer } from "@porthole/testing/nats";
import { platformReason, skipUnless } from "@porthole/testing/skip";
import { ledgerCompliance } from "../../admission/ledger-compliance.test.ts";
import { createSealer } from "../sealed.ts";
import { enrollmentsOf } from "../shared.ts";
import { connectEngine } from "./engine.ts";
import { NatsLedger, type NatsLedgerOptions } from "./nats-ledger.ts";
import { encodeSubject } from "./record-wire.ts";
import { restoreRecords } from "./restore.ts";
import { RecordStream } from "./record-stream.ts";

const secret = new Secret("a secret of at least thirty-two characters");
const { signal } = new AbortController();

describe("a ledger in NATS", function () {
  this.timeout(60_000);
  let nats: Awaited<ReturnType<typeof startNats>> | undefined;
  let server: NatsServer;
  let folder: string;
  let clusters = 0;
  let options: NatsLedgerOptions;
  let errors: string[];

  before(async function () {
    this.timeout(600_000);
    const missing = await whyNoNats();
    skipUnless(this, missing === undefined, platformReason(missing ?? ""));
    nats = await startNats();
    [server] = nats.servers as [NatsServer];
  });
  after(() => nats?.close());

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-ledger-"));
    errors = [];
    const engine = { servers: [server.url], name: `test-${++clusters}`, credsPath: undefined, caPath: undefined };
    const error = (_fields: object, message: string): void => void errors.push(message);
    options = { engine, secret, clock: systemClock, log: { ...silentLogger, error, warn: error } };
  });
  afterEach(() => rm(folder, { recursive: true }));

  ledgerCompliance(async () => {
    const ledger = await NatsLedger.open(options);
    return {
      ...enrollmentsOf(ledger),
      get state() {
        return ledger.state;
      },
      close: () => ledger.close(),
    };
  });

  it("keeps a secret from the engine, and the records from who has another secret", async () => {
    const ledger = await NatsLedger.open(options);
    await ledger.update((state) => ({ ...state, secrets: { key: { text: "very secret" } } }), signal);
    await ledger.close();
    const connection = await connectEngine(options.engine, "test");
    const stream = await RecordStream.open(connection, options.engine, false);
    const reading = stream.read(0, signal);
    const { value } = await reading.next();
    await reading.return(undefined);
    assert.equal(Buffer.from((value as { data: Uint8Array }).data).includes("secret"), false);
    await connection.close();
    const other = await NatsLedger.open({ ...options, secret: new Secret(`another ${secret.reveal()}`) });
    assert.deepEqual(other.state.secrets, {});
    assert.match(errors.join(), /no relay has written/);
    await other.close();
  });

  it("takes no record that was moved, forged, or shown again", async () => {
    const ledger = await NatsLedger.open(options);
    const record = { enrolledAt: 1, invite: "i" };
    await ledger.update((state) => ({ ...state, keys: { ada: record } }), signal);
    await ledger.update((state) => ({ ...state, keys: { ada: { ...record, revokedAt: 2 } } }), signal);
    const connection = await connectEngine(options.engine, "test");
    const stream = await RecordStream.open(connection, options.engine, false);
    const sealer = createSealer(secret, "records");
    const subject = encodeSubject("keys", "ada");
    // The engine shows what was true once, and what was sealed for another place.
    const old = sealer.seal(`${subject} 1`, JSON.stringify(record));
    const moved = sealer.seal(`${encodeSubject("keys", "bob")} 4`, JSON.stringify(record));
    for (const [seq, data] of [old, moved, Buffer.from("forged")].entries())
      await stream.append([{ subject, data }], 2 + seq);
    await until(() => ledger.report().revision === 5, "all were read");
    assert.equal(ledger.state.keys["ada"]?.revokedAt, 2);
    assert.equal(errors.length, 3);
    await connection.close();
    await ledger.close();
  });

  it("starts without the engine from the relay's copy, and refuses one that was sealed with another secret", async () => {
    const mirrorPath = join(folder, "records.bin");
    const ledger = await NatsLedger.open({ ...options, mirrorPath });
    await ledger.update((state) => ({ ...state, keys: { ada: { enrolledAt: 1, invite: "i" } } }), signal);
    await ledger.close();
    assert.equal((await readFile(mirrorPath)).includes("ada"), false);
    await server.stop();
    const offline = await NatsLedger.open({ ...options, mirrorPath });
    assert.deepEqual(Object.keys(offline.state.keys), ["ada"]);
    await assert.rejects(
      offline.update((state) => ({ ...state, names: {}, keys: {} }), signal),
      { code: "busy" },
    );
    await assert.rejects(NatsLedger.open(options), { code: "unreachable" });
    await server.start();
    await until(() => offline.report().isConnected, "it was connected");
    await offline.update((state) => ({ ...state, bans: { eve: { kind: "name", bannedAt: 1 } } }), signal);
    await offline.close();
    await writeFile(mirrorPath, "damaged, or sealed with another secret");
    await assert.rejects(NatsLedger.open({ ...options, mirrorPath }), { code: "state" });
  });

  it("does not follow an engine that has lost records", async () => {
    const mirrorPath = join(folder, "records.bin");
    const ledger = await NatsLedger.open({ ...options, mirrorPath });
    const known = { enrolledAt: 1, invite: "i" };
    await ledger.update((state) => ({ ...state, keys: { ada: known } }), signal);
    await server.stop();
    await server.wipe();
    await server.start();
    await until(() => ledger.report().failure?.includes("lost") ?? false, "it was noticed");
    assert.equal(ledger.state.keys["ada"]?.enrolledAt, 1);
    await assert.rejects(
      ledger.update((state) => ({ ...state, keys: {} }), signal),
      { code: "state" },
    );
    await ledger.close();
    await assert.rejects(NatsLedger.open({ ...options, mirrorPath }), { code: "state" });
    const restoring = { ...options, mirrorPath };
    assert.equal(await restoreRecords(restoring), 1);
    await assert.rejects(restoreRecords(restoring), { code: "usage" });
    for (const path of [mirrorPath, join(folder, "another.bin")]) {
      const again = await NatsLedger.open({ ...options, mirrorPath: path });
      assert.equal(again.state.keys["ada"]?.enrolledAt, 1);
      await again.update((state) => ({ ...state, bans: { [path]: { kind: "name", bannedAt: 1 } } }), signal);
      await again.close();
    }
  });
});
