import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo, type Server, type Socket } from "node:net";
import { acceptFilter } from "./accept-filter.ts";

describe("connections that are wanted only", () => {
  let server: Server;
  let asked: (string | undefined)[];
  let taken: Socket[];
  let made: number;

  beforeEach(() => {
    server = net.createServer(() => void (made += 1));
    [asked, taken, made] = [[], [], 0];
  });

  afterEach(async () => {
    for (const socket of taken) socket.destroy();
    server.close();
    await once(server, "close");
  });

  const listen = (): Promise<unknown> => once(server.listen(0, "127.0.0.1"), "listening");

  /** Every second one. */
  function take(): void {
    const isWanted = (address: string | undefined): boolean => asked.push(address) % 2 === 0;
    acceptFilter(server, isWanted, (socket) => {
      taken.push(socket);
      socket.end("hello");
    });
  }

  /** What a visitor hears, or why nothing. */
  async function visit(): Promise<string> {
    const socket = net.connect({ host: "127.0.0.1", port: (server.address() as AddressInfo).port });
    let heard = "";
    socket.on("data", (chunk: Buffer) => void (heard += chunk.toString()));
    const failed = new Promise<string>((resolve) => {
      socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    });
    return Promise.race([failed, once(socket, "close").then(() => heard)]);
  }

  async function visitOften(): Promise<void> {
    for (const answer of ["ECONNRESET", "hello", "ECONNRESET", "hello", "ECONNRESET"])
      assert.equal(await visit(), answer);
    assert.deepEqual(
      asked,
      Array.from({ length: 5 }, () => "127.0.0.1"),
    );
    assert.equal(taken.length, 2);
  }

  it("are made sockets; the others are reset before that", async () => {
    await listen();
    take();
    await visitOften();
    assert.equal(made, 2);
  });

  it("are handed on where Node's inside is not as we know it, and the others reset", async () => {
    // There is no inside yet.
    take();
    await listen();
    await visitOften();
    assert.equal(made, 5);
  });
});
