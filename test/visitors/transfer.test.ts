import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { pipeline } from "node:stream/promises";
import { setTimeout as pause } from "node:timers/promises";
import {
  hashOf,
  isFull,
  overEachTransport,
  readText,
  request,
  sized,
  source,
  startHttp,
  startTunnel,
  useScope,
} from "@porthole/testing/end-to-end";

const mebibyte = 1024 * 1024;
const transferBytes = sized(16, 1024) * mebibyte;

describe(`Transfers of ${transferBytes / mebibyte} MiB`, function () {
  this.timeout(isFull ? 1_200_000 : 300_000);
  const scope = useScope();

  overEachTransport((transport) => {
    it("downloads arrive with the hash that they were sent with", async () => {
      const file = source(transferBytes);
      const { site } = await tunnel((_request, response) => void pipeline(file.stream, response));
      const { body } = await request(site, "/file");
      assert.deepEqual(await hashOf(body), { bytes: transferBytes, hash: file.hash() });
    });

    it("uploads arrive with the hash that they were sent with", async () => {
      const { site } = await tunnel(async (incoming, response) => {
        response.end(JSON.stringify(await hashOf(incoming)));
      });
      const file = source(transferBytes);
      const { body } = await request(site, "/", { method: "PUT", body: file.stream });
      assert.deepEqual(JSON.parse(await readText(body)), { bytes: transferBytes, hash: file.hash() });
    });

    it("a slow reader holds up the sender, and nobody else", async () => {
      let sent = 0;
      const { site } = await tunnel((incoming, response) => {
        if (incoming.url === "/other") return void response.end("not held up");
        const block = Buffer.alloc(64 * 1024);
        const more = (): void => {
          sent += block.length;
          if (response.write(block)) setImmediate(more);
        };
        response.on("drain", more);
        more();
      });
      const { body } = await request(site, "/endless");
      await stalled(() => sent);
      assert.ok(sent < 64 * 1024 * 1024, `${sent} bytes were taken for a visitor who reads nothing`);
      const other = await request(site, "/other");
      assert.equal(await readText(other.body), "not held up");
      body.destroy();
    });

    async function tunnel(handler: RequestListener) {
      const service = await startHttp(scope, handler);
      return startTunnel(scope, { transport, local: service.local });
    }
  });
});

/** Resolves when the number has not grown for a good while. */
async function stalled(value: () => number): Promise<void> {
  let last = -1;
  for (let quiet = 0; quiet < 300; quiet++) {
    if (value() !== last) quiet = 0;
    last = value();
    await pause(2);
  }
}
