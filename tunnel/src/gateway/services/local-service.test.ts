import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { systemClock } from "@porthole/common/util";
import { connectService, parseLocalService } from "./local-service.ts";

describe("local service", () => {
  const good: readonly (readonly [string, string, string, number])[] = [
    ["3000", "any", "localhost", 3000],
    ["localhost:5173", "any", "localhost", 5173],
    ["[::1]:8080", "any", "::1", 8080],
    ["tcp://127.0.0.1:6379", "tcp", "127.0.0.1", 6379],
    ["http://localhost", "http", "localhost", 80],
    ["http://app.internal:8000/", "http", "app.internal", 8000],
    ["https://localhost", "https", "localhost", 443],
    ["h2c://127.0.0.1:9000", "h2c", "127.0.0.1", 9000],
  ];
  for (const [text, kind, host, port] of good) {
    it(`reads ${text}`, () => assert.deepEqual(parseLocalService(text), { text, kind, host, port }));
  }

  const bad = [
    "",
    "localhost",
    "0",
    "65536",
    "tcp://localhost",
    "ftp://localhost:21",
    "http://u:p@localhost",
    "http://localhost/path",
    "a b:1",
  ];
  for (const text of bad) {
    it(`refuses ${JSON.stringify(text)}, and says what to write`, () =>
      assert.throws(
        () => parseLocalService(text),
        (error: { code: string; hint: string }) => error.code === "usage" && error.hint.includes("3000"),
      ));
  }

  it("is reached by a process that has been busy meanwhile", async () => {
    const server = net.createServer((socket) => void socket.end());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const connecting = connectService(parseLocalService(String(port)), { clock: systemClock });
    // After the attempt has begun and before its outcome is looked at.
    process.nextTick(() => process.nextTick(beBusy, 400));
    const socket = await connecting;
    socket.resume();
    await Promise.all([once(socket, "close"), new Promise((resolve) => server.close(resolve))]);
  });
});

function beBusy(forMs: number): void {
  const until = performance.now() + forMs;
  while (performance.now() < until);
}
