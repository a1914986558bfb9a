import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askClient, openControlSocket } from "./control-socket.ts";

describe("control socket of a client", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-control-"));
  });

  afterEach(() => rm(folder, { recursive: true }));

  it("answers commands, and nothing else", async () => {
    const control = await openControlSocket(folder, (command) => ({ command }));
    assert.deepEqual(await askClient(folder, "status"), { command: "status" });
    assert.deepEqual(await askClient(folder, "stop"), { command: "stop" });
    const socket = net.connect(join(folder, "client.sock"));
    socket.write("GET / HTTP/1.1\r\n\r\n");
    socket.resume();
    await once(socket, "close");
    await control.close();
    assert.equal(await askClient(folder, "status"), undefined);
  });

  it("lets one client use a state folder at a time", async () => {
    const control = await openControlSocket(folder, () => "first");
    await assert.rejects(
      openControlSocket(folder, () => "second"),
      { code: "state" },
    );
    assert.equal(await askClient(folder, "status"), "first");
    await control.close();
    await (await openControlSocket(folder, () => "third")).close();
  });

  it("takes the place of a client that was killed", async () => {
    await writeFile(join(folder, "client.sock"), "");
    const control = await openControlSocket(folder, () => "alive");
    assert.equal(await askClient(folder, "status"), "alive");
    await control.close();
  });

  it("goes elsewhere when the folder's path is too long for a socket", async () => {
    const deep = join(folder, "d".repeat(100));
    const control = await openControlSocket(deep, () => "deep");
    assert.equal(await askClient(deep, "status"), "deep");
    await control.close();
    await assert.rejects(stat(join(deep, "client.sock")), { code: "ENOENT" });
  });
});
