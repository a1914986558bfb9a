import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import {
  connectVisitor,
  figuresOf,
  freePort,
  get,
  overEachTransport,
  readText,
  runCli,
  siteOf,
  startCli,
  startHttp,
  startTestClient,
  until,
  useScope,
  type Running,
  type Site,
  type Transport,
} from "@porthole/testing/end-to-end";

interface Seat {
  readonly relay: Running;
  readonly stateDir: string;
  readonly apiPort: number;
  readonly publicPort: number;
  readonly adminPort: number;
}

interface WorkerReport {
  readonly index: number;
  readonly pid: number;
  readonly restarts: number;
  readonly isServing: boolean;
  readonly links: number;
  readonly visitors: number;
  readonly ledOn: number;
}

describe("A relay of several processes", function () {
  this.timeout(120_000);
  const scope = useScope();

  overEachTransport((transport) => {
    it("serves visitors at each worker, and is one relay for commands and monitoring", async () => {
      const seat = await startWorkers();
      const site = await startSite(seat, transport);
      // Connections are handed out in turn.
      for (let visit = 0; visit < 10; visit++) assert.equal(await get(site), "hello");
      const workers = await workersOf(seat);
      assert.ok(
        workers.every(({ visitors }) => visitors > 0),
        JSON.stringify(workers),
      );
      if (transport === "quic") {
        assert.ok((workers[0]?.links ?? 0) > 0, "QUIC is the first worker's");
        assert.equal((await seat.relay.kill("SIGTERM")).code, 0);
        return;
      }
      const figures = await figuresOf(seat.adminPort);
      assert.equal(figures.get('porthole_visitors_total{outcome="forwarded"}'), 10);
      assert.equal([...figures.keys()].filter((name) => name.startsWith("porthole_build_info")).length, 1);
      assert.equal(figures.get("porthole_draining"), 0);
      const [clientId = ""] = site.hostname.split(".");
      assert.match(await command(seat, "events"), /"connected"/);
      await command(seat, "disconnect", clientId);
      assert.match(await command(seat, "events"), /"disconnected"/);
      seat.relay.child.kill("SIGHUP");
      await seat.relay.line(/Reloaded/);
      await until(async () => (await get(site).catch(() => "")) === "hello", "the client was back by itself");
    });
  });

  it("loses with a worker what that one carried, starts another one, and stops when visitors have finished", async () => {
    const seat = await startWorkers(["--drain", "60s"]);
    const site = await startSite(seat, "http2");
    const visitors = [await slowVisit(site)];
    const isAtAll = (workers: readonly WorkerReport[]): boolean =>
      workers.every(({ links, visitors: count, ledOn }) => links > 0 && count > ledOn);
    let before = await workersOf(seat);
    while (!isAtAll(before) && visitors.length < 10) {
      visitors.push(await slowVisit(site));
      before = await workersOf(seat);
    }
    assert.ok(isAtAll(before), JSON.stringify(before));
    for (const { pid } of before.filter(({ index }) => index === 1)) process.kill(pid, "SIGKILL");
    await seat.relay.line(/A worker is up again/);
    await until(() => visitors.some(({ isOver }) => isOver()), "its visitors were lost");
    const kept = visitors.filter(({ isOver }) => !isOver());
    assert.ok(kept.length > 0, "the other worker's visitors stay");
    for (let visit = 0; visit < 4; visit++) assert.equal(await get(site), "hello");
    const [, after] = await workersOf(seat);
    assert.equal(after?.restarts, 1);
    assert.notEqual(after.pid, before[1]?.pid);

    seat.relay.child.kill("SIGTERM");
    await seat.relay.line(/Stopping/);
    for (const visitor of kept) visitor.end();
    for (const { answer } of kept) assert.match(await answer, /hello/);
    assert.equal((await seat.relay.exited).code, 0);
    await assert.rejects(get(site), /ECONNREFUSED/);
  });

  it("says why when its ports can't be had, and ends", async () => {
    const taken = net.createServer().listen(0, "127.0.0.1");
    scope.defer(() => void taken.close());
    await once(taken, "listening");
    const { port } = taken.address() as net.AddressInfo;
    const args = ["--workers", "2", "--api-port", String(port), "--pub-port", "0", "--state-dir", await scope.folder()];
    const { code, stderr } = await runCli(scope, "relay", args);
    assert.notEqual(code, 0);
    assert.match(stderr, new RegExp(`TCP port ${port} is taken by another program`));
  });

  async function startWorkers(args: readonly string[] = []): Promise<Seat> {
    const [stateDir, apiPort, publicPort, adminPort] = await Promise.all([
      scope.folder(),
      freePort(),
      freePort(),
      freePort(),
    ]);
    const relay = startCli(scope, "relay", [
      ...["--workers", "2", "--state-dir", stateDir, "--json", "--startup-grace", "10s"],
      ...["--api-port", String(apiPort), "--pub-port", String(publicPort), "--admin-port", String(adminPort)],
      ...args,
    ]);
    await relay.line(/Relay is ready/);
    return { relay, stateDir, apiPort, publicPort, adminPort };
  }

  async function startSite(seat: Seat, transport: Transport): Promise<Site> {
    const service = await startHttp(scope, (incoming, response) => {
      incoming.resume().on("end", () => response.end("hello"));
    });
    const client = await startTestClient(scope, { servers: [seat.apiPort], transport, local: service.local });
    return siteOf(client);
  }

  /** A visitor whose request is not whole until `end`. */
  async function slowVisit(site: Site) {
    const socket = await connectVisitor(scope, site);
    let isOver = false;
    socket.on("error", () => {});
    for (const event of ["end", "close"])
      socket.on(event, () => {
        isOver = true;
      });
    socket.write(`POST / HTTP/1.1\r\nhost: ${site.hostname}\r\nconnection: close\r\ncontent-length: 2\r\n\r\n1`);
    return { isOver: () => isOver, end: () => void socket.write("2"), answer: readText(socket).catch(String) };
  }

  async function workersOf(seat: Seat): Promise<readonly WorkerReport[]> {
    return (JSON.parse(await command(seat, "status")) as { readonly workers: readonly WorkerReport[] }).workers;
  }

  async function command({ stateDir }: Seat, ...words: readonly string[]): Promise<string> {
    const json = words[0] === "disconnect" ? [] : ["--json"];
    const { code, stdout, stderr } = await runCli(scope, "relay", [...words, ...json, "--state-dir", stateDir]);
    assert.equal(code, 0, stderr);
    return stdout;
  }
});
