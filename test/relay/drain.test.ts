import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import tls from "node:tls";
import { PortholeError } from "@porthole/common/errors";
import { platformReason, skipUnless } from "@porthole/testing/skip";
import {
  dialLink,
  freePort,
  get,
  hello,
  overEachTransport,
  readText,
  request,
  siteOf,
  soon,
  startCli,
  startHttp,
  startTestClient,
  startTestRelay,
  until,
  useScope,
  type Running,
  type Scope,
  type Site,
} from "@porthole/testing/end-to-end";

describe("Stopping and changing a relay", function () {
  this.timeout(90_000);
  const scope = useScope();

  overEachTransport((transport) => {
    it("a rolling restart of two relays under load loses no request", async () => {
      const service = await startHttp(scope, (request, response) => {
        setTimeout(() => response.end(`hello ${request.url}`), 20);
      });
      const places = await Promise.all([relayPlace(scope), relayPlace(scope)]);
      const relays = await Promise.all(places.map((place) => startRelayAt(place)));
      const client = await startTestClient(scope, {
        servers: places.map(({ apiPort }) => apiPort),
        transport,
        local: service.local,
      });
      const sites = await Promise.all(places.map((_, relay) => siteOf(client, { relay })));
      const load = startLoad(sites);
      scope.defer(() => load.stop());
      await load.answered(50);
      for (const [index, place] of places.entries()) {
        const before = relays[index];
        assert.deepEqual(await before?.kill("SIGTERM"), { code: 0, signal: null });
        await load.answered(20);
        relays[index] = await startRelayAt(place);
        await client.when("the link with the new relay", ({ endpoints: [endpoint] }) =>
          endpoint?.relays[index]?.now.status === "online" ? true : undefined,
        );
        await load.answered(50);
      }
      const { answers, failures } = await load.stop();
      assert.deepEqual(failures, []);
      assert.ok(answers.every((answer) => /^HTTP\/1\.1 200 OK\r\n.*hello \/\d+/s.test(answer)));
      await client.stop();
      for (const relay of relays) assert.equal((await relay.kill("SIGTERM")).code, 0);
    });

    it("who is there may finish, who comes in the meantime is served, and then the relay ends by itself", async () => {
      let finish = (): void => {};
      const service = await startHttp(scope, (request, response) => {
        if (request.url !== "/slow") return void response.end("hello");
        response.write("begun ");
        finish = () => response.end("and finished");
      });
      const place = await relayPlace(scope);
      const relay = await startRelayAt(place);
      const client = await startTestClient(scope, { servers: [place.apiPort], transport, local: service.local });
      const site = await siteOf(client);
      const slow = await request(site, "/slow");
      relay.child.kill("SIGTERM");
      await relay.line(/Stopping/);
      assert.equal(await get(site), "hello");
      finish();
      assert.equal(await readText(slow.body), "begun and finished");
      assert.deepEqual(await soon(relay.exited, "the relay's end"), { code: 0, signal: null });
      await client.stop();
    });
  });

  it("a second signal ends a relay at once that waits for visitors", async () => {
    const service = await startHttp(scope, (_request, response) => void response.write("indefinitely"));
    const place = await relayPlace(scope, "10m");
    const relay = await startRelayAt(place);
    const client = await startTestClient(scope, { servers: [place.apiPort], transport: "http2", local: service.local });
    const { body } = await request(await siteOf(client), "/");
    body.on("error", () => {});
    relay.child.kill("SIGTERM");
    await relay.line(/Stopping/);
    assert.equal((await relay.kill("SIGINT")).code, 0);
    await client.stop();
  });

  it("monitoring and clients learn that the relay is on its way out", async () => {
    const relay = await startTestRelay(scope, { args: ["--drain", "1m", "--admin-port", "0"] });
    const link = await dialLink(scope, relay, "http2");
    link.control.send(hello);
    assert.equal((await link.control.next())?.type, "welcome");
    // A visitor who says nothing keeps it waiting.
    const visitor = net.connect({ host: "127.0.0.1", port: relay.publicPort });
    await once(visitor, "connect");
    await until(() => relay.counts().sockets === 2, "the visitor was there");
    const drained = relay.drain(new AbortController().signal);
    assert.deepEqual(await link.control.next(), {
      type: "drain",
      reason: "it is being stopped",
      deadlineMs: 60_000,
    });
    const ready = await fetch(`http://127.0.0.1:${relay.adminPort}/readyz`, { headers: { connection: "close" } });
    assert.deepEqual([ready.status, await ready.text()], [503, "draining\n"]);
    const late = await dialLink(scope, relay, "http2");
    late.control.send(hello);
    const answer = await soon(late.control.next(), "an answer");
    assert.ok(answer?.type === "reject");
    assert.equal(answer.code, "draining");
    visitor.destroy();
    await soon(drained, "the end of the wait");
    await link.close(new PortholeError("closed", "The test is over"));
  });

  it("SIGHUP takes over new limits, says what needs a restart, and refuses nonsense", async () => {
    const place = await relayPlace(scope);
    const toml = join(place.stateDir, "relay.toml");
    const settings = `json = true\nbind-addr = "127.0.0.1"\n`;
    await writeFile(toml, `${settings}max-visitors = 20\n`);
    const relay = await startRelayAt(place);
    const service = await startHttp(scope, (_request, response) => response.end("hello"));
    const client = await startTestClient(scope, { servers: [place.apiPort], transport: "http2", local: service.local });
    const site = await siteOf(client);

    const kept = net.connect({ host: "127.0.0.1", port: site.port });
    kept.on("error", () => {});
    scope.defer(() => kept.destroy());
    await once(kept, "connect");
    assert.equal(await get(site), "hello");
    await writeFile(toml, `${settings}max-visitors = 1\nadmin-port = 0\n`);
    relay.child.kill("SIGHUP");
    const { settings: later } = JSON.parse(await relay.line(/need a restart/)) as { readonly settings: string[] };
    assert.deepEqual(later, ["admin-port", "admin-addr", "admin-host", "admin-token"]);
    await eventually(async () => assert.rejects(get(site)));

    await writeFile(toml, `${settings}max-visitors = none\n`);
    relay.child.kill("SIGHUP");
    await relay.line(/Not reloaded, everything stays as it was: .*relay\.toml/);
    kept.destroy();
    await eventually(async () => assert.equal(await get(site), "hello"));
    await client.stop();
    assert.equal((await relay.kill("SIGTERM")).code, 0);
  });

  it("SIGHUP that comes while the relay starts is heeded when it is up", async function () {
    skipUnless(this, process.platform !== "win32", platformReason("Windows has no SIGHUP"));
    const place = await relayPlace(scope);
    const relay = startCli(scope, "relay", place.args);
    await eventually(async () => {
      const socket = net.connect({ host: "127.0.0.1", port: place.apiPort });
      scope.defer(() => void socket.destroy());
      await once(socket, "connect");
    });
    relay.child.kill("SIGHUP");
    await relay.line(/Relay is ready/);
    await relay.line(/Reloaded/);
    assert.equal((await relay.kill("SIGTERM")).code, 0);
  });

  interface Place {
    readonly stateDir: string;
    readonly apiPort: number;
    readonly args: readonly string[];
  }

  async function relayPlace(owner: Scope, drain = "20s"): Promise<Place> {
    const [stateDir, apiPort, pubPort] = await Promise.all([owner.folder(), freePort(), freePort()]);
    const ports = ["--api-port", String(apiPort), "--pub-port", String(pubPort)];
    return {
      stateDir,
      apiPort,
      args: [...ports, "--state-dir", stateDir, "--drain", drain, "--startup-grace", "15s", "--json"],
    };
  }

  async function startRelayAt({ args }: Place): Promise<Running> {
    const relay = startCli(scope, "relay", args);
    await relay.line(/Relay is ready/);
    return relay;
  }
});

/** Visitors who do as browsers do: who gets no connection at one address of the name tries the other one. */
function startLoad(sites: readonly Site[]) {
  const answers: string[] = [];
  const failures: string[] = [];
  const over = new AbortController();

  async function visit(number: number): Promise<void> {
    const inTurn = [...sites.slice(number % 2), ...sites.slice(0, number % 2)];
    for (const [index, site] of inTurn.entries()) {
      const socket = tls.connect({ host: "127.0.0.1", port: site.port, servername: site.hostname, ca: site.ca });
      let isConnected = false;
      try {
        await once(socket, "secureConnect");
        isConnected = true;
        socket.write(`GET /${number} HTTP/1.1\r\nHost: ${site.hostname}\r\nConnection: close\r\n\r\n`);
        answers.push(await readText(socket));
        return;
      } catch (reason) {
        const { code = "" } = reason as NodeJS.ErrnoException;
        const mayTryOther = !isConnected && (code === "ECONNREFUSED" || code === "ECONNRESET");
        if (mayTryOther && index < inTurn.length - 1) continue;
        failures.push(`/${number}: ${String(reason)}`);
        return;
      } finally {
        socket.destroy();
      }
    }
  }

  async function worker(first: number): Promise<void> {
    for (let number = first; !over.signal.aborted; number += 4) await visit(number);
  }
  const workers = [0, 1, 2, 3].map((first) => worker(first));

  return {
    async answered(count: number): Promise<void> {
      const goal = answers.length + count;
      await until(
        () => answers.length >= goal || failures.length > 0,
        () => `${goal} requests were answered, not ${answers.length}; failed: ${failures.join("; ")}`,
      );
    },
    async stop() {
      over.abort();
      await Promise.all(workers);
      return { answers, failures };
    },
  };
}

/** For what changes in another process. */
async function eventually(check: () => Promise<void>): Promise<void> {
  const giveUpAt = performance.now() + 45_000;
  for (;;) {
    try {
      return await check();
    } catch (reason) {
      if (performance.now() > giveUpAt) throw reason;
      await pause(50);
    }
  }
}
