import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { connectAgent } from "./client.ts";

describe("The connection to an agent", () => {
  const frame = (message: object): string => {
    const text = JSON.stringify({ jsonrpc: "2.0", ...message });
    return `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
  };

  it("hears everything that the agent has said before it hears of its end", async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const agent = connectAgent({ input, output });
    let lines = 0;
    agent.on("log", () => lines++);
    const answered = agent.call("shutdown", {});
    const line = frame({ method: "log", params: { level: "info", message: "going" } });
    input.end(`${line.repeat(20)}${frame({ id: 0, result: {} })}`);
    assert.deepEqual(await answered, {});
    assert.equal((await agent.closed).code, "closed");
    assert.equal(lines, 20);
  });
});
