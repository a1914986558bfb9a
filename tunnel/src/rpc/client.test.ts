import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { connectDaemon } from "./client.ts";

describe("The connection to a daemon", () => {
  const frame = (message: object): string => {
    const text = JSON.stringify({ jsonrpc: "2.0", ...message });
    return `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
  };

  it("gets everything that the daemon has said before its end", async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const daemon = connectDaemon({ input, output });
    let lines = 0;
    daemon.on("log", () => lines++);
    const answered = daemon.call("shutdown", {});
    const line = frame({ method: "log", params: { level: "info", message: "going" } });
    input.end(`${line.repeat(20)}${frame({ id: 0, result: {} })}`);
    assert.deepEqual(await answered, {});
    assert.equal((await daemon.closed).code, "closed");
    assert.equal(lines, 20);
  });
});
