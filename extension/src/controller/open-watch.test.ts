import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { systemClock } from "@porthole/common/util";
import { OpenWatch } from "./open-watch.ts";

describe("OpenWatch", () => {
  it("reports a port that opens, once, and not one that was open before", async () => {
    const server = createServer((socket) => socket.destroy());
    const listen = async (port: number): Promise<number> => {
      server.listen(port, "localhost");
      await once(server, "listening");
      return (server.address() as AddressInfo).port;
    };
    const close = async (): Promise<void> => {
      server.close();
      await once(server, "close");
    };
    const port = await listen(0);
    let ports: readonly number[] = [port];
    const opened: number[] = [];
    const watch = new OpenWatch({ clock: systemClock, ports: () => ports, onOpen: (each) => opened.push(each) });
    try {
      await watch.look();
      assert.deepEqual(opened, []);
      await close();
      await watch.look();
      await listen(port);
      await watch.look();
      await watch.look();
      assert.deepEqual(opened, [port]);
      await close();
      await watch.look();
      // Nobody watches it for a while: what happens then is not known.
      ports = [];
      await watch.look();
      await listen(port);
      ports = [port];
      await watch.look();
      assert.deepEqual(opened, [port]);
    } finally {
      watch.close();
      await close();
    }
  });
});
