import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import net, { type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { PortholeError } from "@porthole/common/errors";
import type { TransportConnection } from "@porthole/common/link";
import { ControlWire, type ControlFrame } from "./control-wire.ts";
import { dial, openQuicWorker, type TestWorker } from "./fixture.test.ts";

describe("control wire", () => {
  let folder: string;
  let server: Server;
  let here: Socket;
  let there: Socket;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-test-"));
    server = net.createServer().listen(join(folder, "s"));
    await once(server, "listening");
    const accepted = once(server, "connection") as Promise<[Socket]>;
    here = net.connect(join(folder, "s"));
    [there] = await accepted;
  });

  afterEach(async () => {
    here.destroy();
    there.destroy();
    server.close();
    await once(server, "close");
    await rm(folder, { recursive: true });
  });

  /** Resolves when so many frames have come. */
  function frames(count: number, socket: Socket, head?: Buffer): Promise<string[]> {
    const seen: string[] = [];
    return new Promise((resolve) => {
      const onFrame = ({ kind, link, bytes }: ControlFrame): void => {
        seen.push(`${kind} ${link} ${bytes.toString()}`);
        if (seen.length === count) resolve(seen);
      };
      // oxlint-disable-next-line no-new -- It lives with its socket.
      new ControlWire(socket, onFrame, head);
    });
  }

  function say(socket: Socket): void {
    const wire = new ControlWire(socket, () => {});
    wire.send("more", 1);
    wire.send("bytes", 4_000_000_000, Buffer.from("hello"));
    wire.send("bytes", 2, Buffer.from("welcome"));
    wire.send("end", 1);
  }
  const said = ["more 1 ", "bytes 4000000000 hello", "bytes 2 welcome", "end 1 "];

  it("carries what is said of many links, in order", async () => {
    const seen = frames(said.length, there);
    say(here);
    assert.deepEqual(await seen, said);
  });

  it("understands any division into chunks, and what was read before", async () => {
    say(here);
    const [bytes] = (await once(there, "data")) as [Buffer];
    there.removeAllListeners("data");
    const seen = frames(said.length, there, bytes.subarray(0, 3));
    for (const byte of bytes.subarray(3)) there.emit("data", Buffer.from([byte]));
    assert.deepEqual(await seen, said);
  });
});

describe("a control stream through the QUIC worker", function () {
  this.timeout(60_000);
  const over = new PortholeError("closed", "The test is over");
  const block = Buffer.alloc(64 * 1024, "control");
  let test: TestWorker;
  let relay: TransportConnection;
  let client: TransportConnection;

  beforeEach(async () => {
    test = await openQuicWorker();
    [relay, client] = await Promise.all([test.accept(), dial(test.port)]);
  });

  afterEach(async () => {
    client.destroy(over);
    await test.worker.close();
  });

  it("brings the relay no more than it reads, whatever the client says", async () => {
    const blocks = 256;
    for (let written = 0; written < blocks; written++) client.control.write(block);
    relay.control.once("readable", () => {});
    // As long as anything moves.
    for (let before = -1; before !== client.control.writableLength; await pause(500))
      before = client.control.writableLength;
    assert.ok(relay.control.readableLength <= 4 * block.length, `${relay.control.readableLength} bytes`);
    client.control.end();
    let read = 0;
    for await (const chunk of relay.control) read += (chunk as Buffer).length;
    assert.equal(read, blocks * block.length);
  });

  it("ends the link of a client that does not read it, and no other", async () => {
    const [otherRelay, other] = await Promise.all([test.accept(), dial(test.port)]);
    let reason: PortholeError | undefined;
    do {
      relay.control.write(block);
      reason = await Promise.race([relay.closed, pause(1, undefined)]);
    } while (!reason);
    assert.equal(reason.code, "limit");
    otherRelay.control.write("still here");
    const [heard] = (await once(other.control, "data")) as [Buffer];
    assert.equal(heard.toString(), "still here");
    other.destroy(over);
  });
});
