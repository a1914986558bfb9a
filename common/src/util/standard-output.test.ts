import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { lastingOutput } from "./standard-output.ts";

describe("lasting output", () => {
  function output(failure?: NodeJS.ErrnoException) {
    const chunks: string[] = [];
    let next: ((error?: Error | null) => void) | undefined;
    const stream = new Writable({
      autoDestroy: false,
      decodeStrings: false,
      write(chunk: string, _encoding, done) {
        chunks.push(chunk);
        if (failure) done(failure);
        else next = done;
      },
    });
    return { write: lastingOutput(stream as NodeJS.WriteStream), chunks, stream, take: () => next?.() };
  }

  it("drops lines for a reader that is a mebibyte behind, and continues once it has read", async () => {
    const { write, stream, take, chunks } = output();
    const line = "x".repeat(64 * 1024);
    for (let count = 0; count < 1_000; count++) write(line);
    await new Promise(setImmediate);
    assert.ok(stream.writableLength <= 1024 * 1024 + line.length, `${stream.writableLength} bytes wait`);
    while (stream.writableLength > 0) take();
    write("next");
    await new Promise(setImmediate);
    assert.equal(chunks.at(-1), "next");
  });

  it("writes the lines of one turn together", async () => {
    const { write, take, chunks } = output();
    for (const line of ["a\n", "b\n", "c\n"]) write(line);
    await new Promise(setImmediate);
    take();
    write("d\n");
    await new Promise(setImmediate);
    assert.deepEqual(chunks, ["a\nb\nc\n", "d\n"]);
  });

  for (const code of ["EPIPE", "EIO"])
    it(`is silent after ${code}`, async () => {
      const { write, chunks } = output(Object.assign(new Error(code), { code }));
      write("first");
      await new Promise(setImmediate);
      write("second");
      await new Promise(setImmediate);
      assert.deepEqual(chunks, ["first"]);
    });
});
