// A test of a webhook's receiver with a public URL, for mocha, or vitest with `globals: true`:
//   PORTHOLE_INVITE='porthole://join?...' npx mocha webhook.test.mjs
// Without PORTHOLE_INVITE the relay is the one that `porthole join` has joined.
import assert from "node:assert/strict";
import { json } from "node:stream/consumers";
import { expose } from "@porthole/tunnel";

describe("the receiver of webhooks", function () {
  const received = [];
  let tunnel;

  before(async function () {
    this.timeout?.(120_000);
    // Your own handler, or the http.Server or port of your program.
    const handler = async (request, response) => {
      received.push(await json(request));
      response.writeHead(204).end();
    };
    tunnel = await expose(handler, { invite: process.env.PORTHOLE_INVITE, tunnel: "webhook-tests" });
  });

  after(() => tunnel.close());

  it("gets an event at its public URL", async () => {
    const requests = tunnel.requests();
    // Here you would register `${tunnel.url}/hook` with the sender, and make it send.
    await fetch(`${tunnel.url}/hook`, { method: "POST", body: JSON.stringify({ type: "paid" }) });
    const { value } = await requests.next();
    assert.equal(`${value.method} ${value.path} ${value.status}`, "POST /hook 204");
    assert.deepEqual(received, [{ type: "paid" }]);
  });
});
