import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { generateKey } from "@porthole/common/identity";
import { FakeClock } from "@porthole/testing";
import { Secret, systemClock } from "@porthole/common/util";
import type { AdmissionRequest } from "./admission-request.ts";
import { webhookDeadlineMs } from "./signed-post.ts";
import { webhookAuthorize } from "./webhook.ts";

const secret = new Secret("a secret of the two of them");
const { kind, spki, fingerprint, clientId } = generateKey();
const { signal } = new AbortController();
const request: AdmissionRequest = {
  peer: { kind, spki, fingerprint, clientId, extension: Buffer.from("c0ffee", "hex") },
  address: "192.0.2.7",
  suffix: "t.example.com",
  name: "myapp",
};

describe("the webhook", () => {
  let server: http.Server;
  let url: string;
  let answer: (request: IncomingMessage, response: ServerResponse) => unknown;

  beforeEach(async () => {
    server = http.createServer((request, response) => void answer(request, response));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/admission?relay=1`;
  });
  afterEach(async () => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  });

  it("is told all that is known, signed, and lets the client in", async () => {
    const asked: { readonly request: IncomingMessage; readonly body: string }[] = [];
    answer = async (incoming, response) => {
      asked.push({ request: incoming, body: await text(incoming) });
      response.end('{"allow":true}');
    };
    await webhookAuthorize({ url, secret }, systemClock)(request, signal);
    const [only] = asked;
    assert.ok(only);
    assert.deepEqual([only.request.method, only.request.url], ["POST", "/admission?relay=1"]);
    const { id, ...rest } = JSON.parse(only.body) as { id: string };
    assert.match(id, /^[0-9a-f-]{36}$/);
    assert.deepEqual(rest, {
      version: 1,
      clientId,
      fingerprint,
      key: spki.toString("base64"),
      extension: "c0ffee",
      owner: null,
      name: "myapp",
      suffix: "t.example.com",
      address: "192.0.2.7",
    });
    const [, time, signature] =
      /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(only.request.headers["porthole-signature"])) ?? [];
    assert.ok(Math.abs(Number(time) - Date.now() / 1_000) < 60);
    const expected = createHmac("sha256", secret.reveal()).update(`${time}.${only.body}`).digest("hex");
    assert.equal(signature, expected);
    assert.equal(only.request.headers.connection, "close");
  });

  it("says no in its own words", async () => {
    answer = (_request, response) => response.end('{"allow":false,"message":"Your plan has ended."}');
    await assert.rejects(webhookAuthorize({ url, secret }, systemClock)(request, signal), {
      code: "unauthorized",
      message: "Your plan has ended.",
    });
    answer = (_request, response) => response.end('{"allow":false}');
    await assert.rejects(webhookAuthorize({ url, secret }, systemClock)(request, signal), { code: "unauthorized" });
  });

  const lies: readonly [string, (request: IncomingMessage, response: ServerResponse) => unknown, string][] = [
    ["an error", (_request, response) => response.writeHead(500).end('{"allow":true}'), "protocol"],
    [
      "a redirect",
      ({ url: asked }, response) =>
        asked?.endsWith("elsewhere")
          ? response.end('{"allow":true}')
          : response.writeHead(307, { Location: "/elsewhere" }).end('{"allow":true}'),
      "protocol",
    ],
    ["no JSON", (_request, response) => response.end("yes"), "protocol"],
    ["nothing", (_request, response) => response.end(), "protocol"],
    ["another JSON", (_request, response) => response.end("true"), "protocol"],
    ["null", (_request, response) => response.end("null"), "protocol"],
    ["a text in allow", (_request, response) => response.end('{"allow":"true"}'), "protocol"],
    ["a enrollments", (_request, response) => response.end(`{"allow":true,"x":"${"x".repeat(20_000)}"}`), "protocol"],
    ["half an answer", (_request, response) => (response.write('{"allow":true'), response.destroy()), "unreachable"],
    ["no answer at all", (_request, response) => response.destroy(), "unreachable"],
  ];
  for (const [what, lie, code] of lies) {
    it(`lets nobody in when it gives ${what}`, async () => {
      answer = lie;
      await assert.rejects(webhookAuthorize({ url, secret }, systemClock)(request, signal), { code });
    });
  }

  it("lets nobody in when it is not there", async () => {
    await assert.rejects(webhookAuthorize({ url: "http://127.0.0.1:1/", secret }, systemClock)(request, signal), {
      code: "unreachable",
    });
  });

  for (const [what, slow] of [
    ["thinks", () => {}],
    ["talks", (response: ServerResponse) => response.write('{"allow":')],
  ] as const) {
    it(`lets nobody in when it ${what} for too long, and is not listened to any more`, async () => {
      const clock = new FakeClock();
      const came = new Promise<IncomingMessage>((resolve) => {
        answer = (incoming, response) => {
          slow(response);
          resolve(incoming);
        };
      });
      const asked = webhookAuthorize({ url, secret }, clock)(request, signal);
      asked.catch(() => {});
      const { socket } = await came;
      const gone = new Promise((resolve) => socket.on("error", () => {}).once("close", resolve));
      await clock.advance(webhookDeadlineMs);
      await assert.rejects(asked, { code: "timeout" });
      await gone;
      assert.equal(clock.pending, 0);
    });
  }

  it("is not asked about more than a hundred at once", async () => {
    const waiting: ServerResponse[] = [];
    const all = new Promise<void>((resolve) => {
      answer = (_request, response) => waiting.push(response) === 100 && resolve();
    });
    // So many at once may take a busy machine longer than the deadline.
    const authorize = webhookAuthorize({ url, secret }, new FakeClock());
    const asked = Array.from({ length: 100 }, () => authorize(request, signal));
    await assert.rejects(authorize(request, signal), { code: "busy" });
    await all;
    for (const response of waiting) response.end('{"allow":true}');
    await Promise.all(asked);
    answer = (_request, response) => response.end('{"allow":true}');
    await authorize(request, signal);
  });
});
