import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { platformReason, skipUnless } from "@porthole/testing";
import { listListeningPorts } from "./index.ts";
import { uniquePorts, type ListeningPort } from "./listening.ts";
import { parseProcNet } from "./linux.ts";
import { parseLsof } from "./macos.ts";
import { parsePowershell } from "./windows.ts";

describe("listening ports", () => {
  it("reads Linux's tables", () => {
    const text = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0000000000000000 100 0 0 10 0
   1: 0100007F:0BB8 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0000000000000000 20 4 30 10 -1
   2: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0000000000000000 100 0 0 10 0
`;
    assert.deepEqual(parseProcNet(text), [
      { host: "127.0.0.1", port: 3000, uid: 1000, inode: "4711" },
      { host: "0.0.0.0", port: 8080, uid: 0, inode: "4713" },
    ]);
    const six = `  sl  local_address                         remote_address                        st
   0: 00000000000000000000000001000000:1435 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 99 1 0 100 0 0 10 0
   1: B80D0120000000000000000001000000:0BB8 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 97 1 0 100 0 0 10 0
   2: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 96 1 0 100 0 0 10 0
   3: 0000000000000000FFFF00000100007F:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 98 1 0 100 0 0 10 0
`;
    assert.deepEqual(
      parseProcNet(six).map(({ host, port }) => [host, port]),
      [
        ["::1", 5173],
        ["2001:db8::1", 3000],
        ["::", 8080],
        ["127.0.0.1", 80],
      ],
    );
  });

  it("reads what lsof prints on macOS", () => {
    const text = "p501\ncnode\nf23\nn127.0.0.1:3000\nf24\nn[::1]:3000\np502\ncPython\nf3\nn*:8000\n";
    assert.deepEqual(parseLsof(text), [
      { host: "127.0.0.1", port: 3000, process: "node", pid: 501 },
      { host: "::1", port: 3000, process: "node", pid: 501 },
      { host: "0.0.0.0", port: 8000, process: "Python", pid: 502 },
    ]);
  });

  it("reads what PowerShell prints on Windows, without the system's own", () => {
    const text =
      '[{"host":"127.0.0.1","port":3000,"pid":4242,"name":"node"},{"host":"0.0.0.0","port":135,"pid":900,"name":"svchost"},{"host":"::","port":8000,"pid":7,"name":null}]';
    assert.deepEqual(parsePowershell(text), [
      { host: "127.0.0.1", port: 3000, process: "node", pid: 4242 },
      { host: "::", port: 8000, process: undefined, pid: 7 },
    ]);
    assert.deepEqual(parsePowershell('{"host":"x"}'), []);
  });

  it("has each port once, at the address that localhost leads to if there is one", () => {
    const at = (host: string, port: number, process?: string): ListeningPort => ({
      host,
      port,
      process,
      pid: undefined,
    });
    const found = uniquePorts([
      at("192.0.2.1", 8080, "node"),
      at("::", 8080),
      at("192.0.2.1", 3000, "node"),
      at("127.0.0.1", 5173),
      at("::1", 5173, "vite"),
    ]);
    assert.deepEqual(
      found.map(({ host, port, process }) => [host, port, process]),
      [
        ["192.0.2.1", 3000, "node"],
        ["::1", 5173, "vite"],
        ["::", 8080, undefined],
      ],
    );
  });

  it("finds a server of this user, once, with its program", async function () {
    skipUnless(this, process.platform === "linux", platformReason("it reads Linux's /proc"));
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const found = (await listListeningPorts(AbortSignal.timeout(45_000))).filter((each) => each.port === port);
    server.close();
    assert.equal(found.length, 1);
    assert.equal(found[0]?.pid, process.pid);
    assert.match(found[0]?.process ?? "", /node/);
  });
});
