import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { generateKey, type IdentityKey } from "@porthole/common/identity";
import {
  dialLink,
  freePort,
  hastened,
  hello,
  readText,
  runCli,
  settled,
  soon,
  startCli,
  startHttp,
  startTestRelay,
  until,
  useScope,
  type Output,
} from "@porthole/testing/end-to-end";

describe("Who may connect by the word of a webhook", function () {
  this.timeout(120_000);
  const scope = useScope();
  const allow = (_request: IncomingMessage, response: ServerResponse) => response.end('{"allow":true}');

  it("the clients that it allows", async () => {
    const { argv } = await withWebhook(allow);
    const client = startCli(scope, "client", argv);
    await client.line(/^online/);
    await client.kill("SIGTERM");
  });

  const wrong: readonly [string, typeof allow, RegExp][] = [
    [
      "whom it does not allow",
      (_request, response) => response.end('{"allow":false,"message":"No."}'),
      /refused: No\./,
    ],
    ["anyone when it lies", (_request, response) => response.end("allow"), /can't decide at present/],
    [
      "anyone when it sends us elsewhere",
      (_request, response) => response.writeHead(302, { Location: "/" }).end(),
      /can't decide/,
    ],
  ];
  for (const [what, answer, why] of wrong) {
    it(`not ${what}`, async () => {
      const hook = await withWebhook(answer);
      refused(await runCli(scope, "client", hook.argv), why);
      await settled(hook.relay);
    });
  }

  it("not anyone while it is slow", async () => {
    const hook = await withWebhook((_request, response) => response, hastened(scope.clock, 5));
    refused(await runCli(scope, "client", hook.argv), /can't decide at present/);
    await settled(hook.relay);
  });

  it("not anyone while it is down; but a client that was connected comes back when it is up again", async () => {
    const { argv, relay, restart, hook } = await withWebhook(allow);
    const client = startCli(scope, "client", argv);
    await client.line(/^online/);
    await hook.close();
    refused(await runCli(scope, "client", [...argv.slice(0, -1), await scope.folder()]), /can't decide at present/);
    await relay.close();
    await restart();
    await client.line(/can't decide at present.*trying again in (60|59)/);
    await client.kill("SIGTERM");
  });

  it("until it says no: then the client's other links end, too, and nobody else's", async () => {
    let banned: string | undefined;
    const { relay } = await withWebhook((request, response) => {
      void readText(request).then((text) => {
        const { clientId } = JSON.parse(text) as { clientId: string };
        response.end(JSON.stringify({ allow: clientId !== banned, message: "Your plan has ended." }));
      });
      return response;
    });
    const [bad, good] = [generateKey(), generateKey()];
    // ClientSessions of our own, because a client leaves by itself when it is refused.
    const come = async (key: IdentityKey) => {
      const link = await dialLink(scope, relay, "http2", key);
      link.control.send({ ...hello, suffix: "t.example.com" });
      return { link, answer: await link.control.next() };
    };
    const links = [await come(bad), await come(bad), await come(good)].map(({ link }) => link);
    assert.equal(relay.counts().links, 3);
    banned = bad.clientId;
    const { answer } = await come(bad);
    assert.equal(answer?.type === "reject" && answer.code, "unauthorized");
    for (const link of links.slice(0, 2)) {
      const last = await soon(link.control.next(), "the end of an older link");
      assert.equal(last?.type === "reject" && last.message, "Your plan has ended. Ask the relay's operator.");
      await soon(link.closed, "its end");
    }
    assert.equal(relay.counts().links, 1);
    await links[2]?.close(new PortholeError("closed", "The test is over"));
  });

  it("until it says no and porthole-relay disconnect makes it be asked again", async () => {
    let asked = 0;
    const hook = await startHttp(scope, (_request, response) => {
      asked += 1;
      response.end(JSON.stringify({ allow: asked <= 2 }));
    });
    const [stateDir, clientDir] = [await scope.folder(), await scope.folder()];
    const secret = join(stateDir, "secret");
    await writeFile(secret, "0123456789abcdef\n");
    const running = startCli(scope, "relay", [
      ...["--api-port", "0", "--pub-port", "0", "--state-dir", stateDir, "--json"],
      ...["--auth-webhook", `${hook.local}/`, "--auth-webhook-secret-file", secret],
    ]);
    const { api } = JSON.parse(await running.line(/Relay is ready/)) as { readonly api: number };
    const server = ["--server", `127.0.0.1:${api}`];
    const client = startCli(scope, "client", [
      ...["3000", ...server, "--force-h2", "--pool-size", "1", "--state-dir", clientDir],
    ]);
    const id = (await client.line(/^ID: /)).slice(4);
    await client.line(/^online/);
    const disconnect = (key: string) => runCli(scope, "relay", ["disconnect", key, "--state-dir", stateDir]);
    const first = await disconnect(id);
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, new RegExp(`^1 link of ${id} ended`));
    await client.line(/the relay's operator ended this connection/);
    await until(async () => (await disconnect(id.toUpperCase())).code === 0, "it was back, and sent away again");
    const { code } = await soon(client.exited, "the end of the client");
    assert.equal(code, 3, client.errors.join("\n"));
    assert.equal(asked, 3);
    const [gone, nonsense, nobody] = await Promise.all([disconnect(id), disconnect("me"), disconnect("")]);
    assert.match(gone.stderr, /No client [a-z2-7]{26} is connected/);
    assert.match(nonsense.stderr, /"me" is no client id/);
    assert.deepEqual([gone.code, nonsense.code, nobody.code], [2, 2, 2]);
    assert.equal((await running.kill("SIGTERM")).code, 0);
    assert.match((await disconnect(id)).stderr, /No relay is running/);
  });

  /** A relay that asks the webhook. */
  async function withWebhook(answer: typeof allow, clock = scope.clock) {
    const hook = await startHttp(scope, answer);
    const secret = join(await scope.folder(), "secret");
    await writeFile(secret, "0123456789abcdef\n");
    const stateDir = await scope.folder();
    const [api, pub] = await Promise.all([freePort(), freePort()]);
    const args = [
      ...["--api-port", String(api), "--pub-port", String(pub)],
      ...["--auth-webhook", `${hook.local}/`, "--auth-webhook-secret-file", secret],
      ...["--domain-suffix", "t.example.com", "--state-dir", stateDir],
    ];
    const relay = await startTestRelay(scope, { args, clock });
    const server = ["--server", `127.0.0.1:${relay.apiPort}`];
    const argv = ["3000", "--force-h2", ...server, "--state-dir", await scope.folder()];
    return { hook, relay, argv, restart: () => startTestRelay(scope, { args }) };
  }
});

function refused({ code, stderr }: Output, why: RegExp): void {
  assert.equal(code, 3, stderr);
  assert.match(stderr, why);
}
