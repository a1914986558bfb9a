import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";
import { systemClock } from "@porthole/common/util";
import { until } from "@porthole/testing";
import { connectService, parseLocalService } from "./local-service.ts";
import { ServiceSocket } from "./service-socket.ts";

describe("a connection to a service", () => {
  /** Says something and leaves in one turn, so that both arrive together. */
  async function serviceThatLeaves(by: (socket: Socket) => void): Promise<net.Server> {
    const server = net.createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", () => {
        socket.write("hello");
        by(socket);
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return server;
  }

  for (const [how, leave, isReset] of [
    ["a reset", (socket: Socket) => void socket.resetAndDestroy(), true],
    ["an end", (socket: Socket) => void socket.end(), false],
  ] as const) {
    it(`tells ${how} that comes with the data, for HTTP`, async () => {
      const server = await serviceThatLeaves(leave);
      const heard: string[] = [];
      const socket = new ServiceSocket({
        onData: (chunk) => void heard.push(chunk.toString()),
        onEnd: () => void heard.push("end"),
        onDrain: () => {},
        onWriteFailure: () => {},
        onClose: (failure) => void heard.push(failure ? "reset" : "close"),
      });
      socket.on("connect", () => socket.write("x"));
      socket.connect({ host: "127.0.0.1", port: (server.address() as AddressInfo).port });
      await until(() => heard.length > 1, "the end");
      socket.destroy();
      server.close();
      assert.deepEqual(heard.slice(0, 2), ["hello", isReset ? "reset" : "end"]);
    });

    it(`tells ${how} that comes with the data, for bytes`, async () => {
      const server = await serviceThatLeaves(leave);
      const service = parseLocalService(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`);
      const socket = await connectService(service, { clock: systemClock, allowHalfOpen: true });
      const heard: string[] = [];
      socket.on("data", (chunk: Buffer) => void heard.push(chunk.toString()));
      socket.on("end", () => void heard.push("end")).on("error", () => void heard.push("reset"));
      socket.write("x");
      await until(() => heard.length > 1, "the end");
      socket.destroy();
      server.close();
      assert.deepEqual(heard, ["hello", isReset ? "reset" : "end"]);
    });
  }
});
