import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { parseLocalService } from "../../gateway/index.ts";
import { FakeClock, freePort } from "@porthole/testing";
import { LocalWatch } from "./local-watch.ts";

describe("LocalWatch", () => {
  const stop = new AbortController();
  after(() => stop.abort());

  async function listen(port: number): Promise<net.Server> {
    const server = net.createServer((socket) => socket.destroy()).listen(port, "127.0.0.1");
    await once(server, "listening");
    return server;
  }

  async function close(server: net.Server): Promise<void> {
    server.close();
    await once(server, "close");
  }

  it("sees a service come and go, and leaves one that runs alone", async () => {
    const port = await freePort();
    const clock = new FakeClock();
    const changes: (() => void)[] = [];
    const changed = (): Promise<void> => new Promise((resolve) => changes.push(resolve));
    const seen = changed();
    const watch = new LocalWatch(
      {
        service: () => parseLocalService(`127.0.0.1:${port}`),
        clock,
        onChange: () => changes.shift()?.(),
      },
      stop.signal,
    );
    assert.equal(watch.isUp, undefined);
    await seen;
    assert.equal(watch.isUp, false);

    const server = await listen(port);
    let connections = 0;
    server.on("connection", () => connections++);
    const up = changed();
    await clock.advance(2_000);
    await up;
    assert.equal(watch.isUp, true);
    await clock.advance(60_000);
    assert.equal(connections, 1);
    assert.equal(clock.pending, 0);

    await close(server);
    const down = changed();
    watch.suspect();
    await down;
    assert.equal(watch.isUp, false);
    stop.abort();
    assert.equal(clock.pending, 0);
  });
});
