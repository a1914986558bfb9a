import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { PortholeError } from "../errors.ts";
import { memoryPipe } from "@porthole/testing/memory-pipe";
import { splice, type SpliceEnd } from "./splice.ts";

describe("splice", () => {
  /** Two pipes end to end; `visitor` and `service` are what the test holds. */
  function spliced() {
    const [visitor, left] = memoryPipe();
    const [right, service] = memoryPipe();
    return { visitor, left, right, service, end: ended(left, right) };
  }

  it("keeps each half open until it ends by itself", async () => {
    const { visitor, service, end } = spliced();
    visitor.end("question");
    assert.equal(await readText(service), "question");
    service.end("answer");
    assert.equal(await readText(visitor), "answer");
    assert.deepEqual(await end, {});
  });

  it("keeps the other half open, too", async () => {
    const { visitor, service, end } = spliced();
    service.end("greeting");
    assert.equal(await readText(visitor), "greeting");
    visitor.end("bye");
    assert.equal(await readText(service), "bye");
    assert.deepEqual(await end, {});
  });

  for (const side of ["left", "right"] as const) {
    it(`says that the ${side} broke and why, once, and ends the other`, async () => {
      const { left, right, end } = spliced();
      const [broken, other] = side === "left" ? [left, right] : [right, left];
      const closed = once(other, "error");
      const reason = new PortholeError("aborted", "enough");
      broken.destroy(reason);
      assert.deepEqual(await end, { error: reason, brokenSide: side });
      assert.deepEqual(await closed, [reason]);
    });

    it(`a close of the ${side} before its end is no end`, async () => {
      const { left, right, end } = spliced();
      (side === "left" ? left : right).destroy();
      const { error, brokenSide } = await end;
      assert.equal(error?.code, "closed");
      assert.equal(brokenSide, side);
    });

    it(`a ${side} that has gone before ends the other at once`, async () => {
      const [, left] = memoryPipe();
      const [right] = memoryPipe();
      const [gone, other] = side === "left" ? [left, right] : [right, left];
      gone.destroy();
      await once(gone, "close");
      const closed = new Promise((resolve) => other.once("close", resolve));
      const { brokenSide } = await ended(left, right);
      assert.equal(brokenSide, side);
      await closed;
    });
  }

  describe("to a TCP connection", () => {
    let server: net.Server;
    let peer: Socket;
    let socket: Socket;
    beforeEach(async () => {
      server = net.createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      peer = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
      peer.on("error", () => {});
      [[socket]] = (await Promise.all([once(server, "connection"), once(peer, "connect")])) as [[Socket], unknown];
    });
    afterEach(async () => {
      peer.destroy();
      socket.destroy();
      server.close();
      await once(server, "close");
    });

    it("passes what broke off on as a reset, not as an end", async () => {
      const [, left] = memoryPipe();
      const end = ended(left, socket);
      left.destroy();
      await assert.rejects(readText(peer), { code: "ECONNRESET" });
      await end;
      await closeOf(socket);
    });

    it("does so also when the peer reads nothing", async () => {
      const [visitor, left] = memoryPipe();
      const end = ended(left, socket);
      peer.pause();
      visitor.on("error", () => {});
      while (visitor.write(Buffer.alloc(256 * 1024))) await new Promise(setImmediate);
      left.destroy();
      await end;
      await closeOf(socket);
    });

    it("closes one that is on its way out", async () => {
      const [visitor, left] = memoryPipe();
      const end = ended(left, socket);
      visitor.end("last words");
      await once(left, "end");
      left.destroy();
      await end;
      await closeOf(socket);
    });
  });
});

function ended(left: Duplex, right: Duplex): Promise<SpliceEnd> {
  return new Promise((resolve, reject) => {
    let calls = 0;
    splice(left, right, (end) => {
      calls += 1;
      if (calls > 1) reject(new Error("Called back twice"));
      resolve(end);
    });
  });
}

async function readText(stream: Duplex): Promise<string> {
  let text = "";
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) text += String(chunk);
  return text;
}

async function closeOf(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
}
