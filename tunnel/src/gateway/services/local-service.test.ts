import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { systemClock } from "@porthole/common/util";
import type { PortholeError } from "@porthole/common/errors";
import { connectService, parseLocalService } from "./local-service.ts";
import { isLocalAddress } from "./service-tls.ts";

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
    ["LOCALHOST:3000", "any", "localhost", 3000],
    ["https://MyApp.test", "https", "myapp.test", 443],
  ];
  for (const [text, kind, host, port] of good) {
    it(`reads ${text}`, () => assert.deepEqual(parseLocalService(text), { text, kind, host, port }));
  }

  for (const text of ["unix:/run/app.sock", "unix:///run/app.sock"])
    it(`reads ${text}`, () => {
      const socketPath = "/run/app.sock";
      assert.deepEqual(parseLocalService(text), { text, kind: "any", host: "localhost", port: 80, socketPath });
    });

  for (const [address, isLocal] of [
    ["127.0.0.1", true],
    ["127.9.9.9", true],
    ["::1", true],
    ["::ffff:127.0.0.1", true],
    ["10.1.2.3", true],
    ["172.16.0.1", true],
    ["172.32.0.1", false],
    ["192.168.1.1", true],
    ["169.254.1.1", true],
    ["fd00::1", true],
    ["fe80::1%eth0", true],
    ["2001:db8::1", false],
    ["::ffff:192.0.2.1", false],
    ["192.0.2.1", false],
    [undefined, true],
  ] as const)
    it(`takes ${address ?? "a Unix socket"} ${isLocal ? "" : "not "}for local`, () =>
      assert.equal(isLocalAddress(address), isLocal));

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
    "unix:app.sock",
    ":3000",
    "./dist",
    "~/site",
    "unix:",
  ];
  for (const text of bad) {
    it(`refuses ${JSON.stringify(text)}, and says what to write`, () =>
      assert.throws(
        () => parseLocalService(text),
        (error: { code: string; hint: string }) => error.code === "usage" && error.hint.includes("3000"),
      ));
  }

  it("that does not answer is told in words of our own", async () => {
    const server = net.createServer(
      (socket) =>
        void socket
          .on("error", () => {})
          .resume()
          .end("this is no TLS\n"),
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    for (const [text, why] of [
      [`https://127.0.0.1:${port}`, "it does not speak TLS"],
      ["tcp://name.invalid:1", "its name"],
      ["unix:/nonexistent/app.sock", "there is no such socket"],
    ] as const) {
      await assert.rejects(
        connectService(parseLocalService(text), { clock: systemClock }),
        (error: PortholeError) =>
          error.code === "service-down" && error.message.includes(why) && !/error:|\bE[A-Z]{4,}/.test(error.message),
      );
    }
    await new Promise((resolve) => server.close(resolve));
    await assert.rejects(connectService(parseLocalService(`127.0.0.1:${port}`), { clock: systemClock }), {
      message: `The local service 127.0.0.1:${port} does not answer: nothing listens there`,
    });
  });

  it("is reached by a process that has been busy in the meantime", async () => {
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
