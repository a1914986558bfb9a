import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import net, { type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { FramedStream } from "./framed-stream.ts";

describe("framed stream", () => {
  let folder: string;
  let server: Server;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-test-"));
    server = net.createServer({ allowHalfOpen: true });
    server.listen(join(folder, "s"));
    await once(server, "listening");
  });

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    server.close();
    await once(server, "close");
    await rm(folder, { recursive: true });
  });

  async function socketPair(): Promise<[Socket, Socket]> {
    const accepted = once(server, "connection") as Promise<[Socket]>;
    const here = net.connect({ path: join(folder, "s"), allowHalfOpen: true });
    const [there] = await accepted;
    sockets.push(here, there);
    return [here, there];
  }

  async function pair(): Promise<[FramedStream, FramedStream]> {
    const [here, there] = await socketPair();
    return [new FramedStream(here), new FramedStream(there)];
  }

  it("keeps each half open until its own end", async () => {
    const [here, there] = await pair();
    here.end("question");
    assert.equal(await textOf(there), "question");
    there.end("answer");
    assert.equal(await textOf(here), "answer");
    await Promise.all([here, there].map(closeOf));
    assert.deepEqual([here.errored, there.errored], [null, null]);
  });

  it("understands any division into chunks, and what was read before", async () => {
    const [raw, socket] = await socketPair();
    const bytes = Buffer.concat([frame("a"), frame("bc"), frame("def".repeat(100)), frame("")]);
    const there = new FramedStream(socket, bytes.subarray(0, 3));
    const text = textOf(there);
    for (const byte of bytes.subarray(3)) {
      raw.write(Buffer.from([byte]));
      await turn();
    }
    assert.equal(await text, `abc${"def".repeat(100)}`);
    there.destroy();
  });

  it("takes a socket that ends without the mark for an accident, also in the middle of a frame", async () => {
    for (const bytes of [frame("whole"), frame("half").subarray(0, 6)]) {
      const [raw, socket] = await socketPair();
      const there = new FramedStream(socket).resume();
      const failed = once(there, "error");
      raw.end(bytes);
      assert.equal(((await failed) as [{ code: string }])[0].code, "closed");
    }
  });

  it("is an accident for the other side when it is destroyed", async () => {
    const [here, there] = await pair();
    there.resume();
    const failed = once(there, "error");
    here.write("more to come");
    here.destroy();
    await failed;
  });

  it("stops the writer when nobody reads, and carries everything when somebody does", async () => {
    const [here, there] = await pair();
    const block = Buffer.alloc(64 * 1024, "block");
    let written = 0;
    for (let silent = 0; silent < 200; silent++) {
      if (!here.writableNeedDrain) {
        here.write(block);
        written += block.length;
        silent = 0;
      }
      await turn();
    }
    assert.ok(written < 4 * 1024 * 1024, `${written} bytes under way`);
    here.end();
    let read = 0;
    for await (const chunk of there.iterator({ destroyOnReturn: false })) read += (chunk as Buffer).length;
    assert.equal(read, written);
    there.end();
    await closeOf(here.resume());
  });
});

function frame(text: string): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(text.length);
  return Buffer.concat([header, Buffer.from(text)]);
}

async function textOf(stream: FramedStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function closeOf(stream: FramedStream): Promise<void> {
  if (!stream.closed) await once(stream, "close");
}
