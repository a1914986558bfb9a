import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpsRequest } from "node:https";
import { text } from "node:stream/consumers";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import type { Relay } from "@porthole/relay";
import {
  programFile,
  runCli,
  startCli,
  startHttp,
  startTestRelay,
  until,
  useScope,
} from "@porthole/testing/end-to-end";

const suffix = "t.example.com";

/** A real client of the Model Context Protocol drives the program over its standard streams. */
describe("porthole mcp", function () {
  this.timeout(120_000);
  const scope = useScope();
  let relay: Relay;
  let stateDir: string;
  let port: number;
  /** What the service was asked: method, path, body. */
  let asked: string[];

  beforeEach(async () => {
    asked = [];
    relay = await startTestRelay(scope, { args: ["--domain-suffix", suffix, "--open"] });
    stateDir = await scope.folder();
    const service = await startHttp(scope, (request, response) => {
      void text(request).then((body) => {
        asked.push(`${request.method} ${request.url} ${body}`);
        response.setHeader("set-cookie", "session=s3cret");
        response.end(JSON.stringify({ ok: true, body }));
      });
    });
    port = service.port;
  });

  const options = (): readonly string[] => [
    ...["--state-dir", stateDir, "--no-acme", "--transport", "h2"],
    ...["--server", `127.0.0.1:${relay.apiPort}`, "--server-fingerprint", relay.fingerprint],
  ];

  /** `answer`: what the user says when asked; without it the program at this end can't ask. */
  async function connect(answer?: "accept" | "decline", ...more: readonly string[]) {
    const questions: string[] = [];
    const capabilities = answer === undefined ? {} : { elicitation: {} };
    const client = new Client({ name: "test", version: "1" }, { capabilities });
    if (answer !== undefined)
      client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
        questions.push(params.message);
        return { action: answer };
      });
    const args = ["--conditions=source", programFile("client"), "mcp", ...options(), ...more];
    const transport = new StdioClientTransport({ command: process.execPath, args, stderr: "inherit" });
    await client.connect(transport);
    scope.defer(() => client.close());
    /** The result as the assistant reads it. */
    async function use(name: string, input: object = {}): Promise<string> {
      const result = await client.callTool({ name, arguments: { ...input } });
      const [part] = result.content as readonly { readonly type: string; readonly text: string }[];
      assert.equal(part?.type, "text");
      if (result.isError === true) throw new Error(part.text);
      return part.text;
    }
    return { client, questions, use };
  }

  function visit(url: string, { path = "/", method = "GET", body = "" } = {}): Promise<number> {
    const { hostname, port: publicPort } = new URL(url);
    return new Promise((resolve, reject) => {
      const request = httpsRequest({
        ...{ host: "127.0.0.1", port: publicPort, servername: hostname, path, method, agent: false },
        headers: {
          host: `${hostname}:${publicPort}`,
          authorization: "Bearer t0ken",
          "content-type": "application/json",
        },
        rejectUnauthorized: false,
      });
      request.on("error", reject).on("response", (response) => {
        response.resume();
        once(response, "end").then(() => resolve(response.statusCode ?? 0), reject);
      });
      request.end(body);
    });
  }

  interface Exposed {
    readonly tunnel: { readonly id: string; readonly urls: readonly string[]; readonly access: string };
  }
  const exposed = async (answer: Promise<string>): Promise<Exposed["tunnel"]> =>
    (JSON.parse(await answer) as Exposed).tunnel;

  it("lists its tools, and publishes nothing without a person's yes", async () => {
    const asking = await connect("decline");
    const { tools } = await asking.client.listTools();
    assert.deepEqual(
      tools.map(({ name }) => name),
      [
        ...["porthole_list", "porthole_expose", "porthole_stop", "porthole_list_requests"],
        ...["porthole_get_request", "porthole_replay", "porthole_wait_for_request"],
      ],
    );
    await assert.rejects(asking.use("porthole_expose", { port }), /does not want port/);
    assert.deepEqual(asking.questions, [
      `Expose port ${port} to the internet? Only visitors with a share link can visit.`,
    ]);
    assert.deepEqual(JSON.parse(await asking.use("porthole_list")), { tunnels: [] });
    await asking.client.close();
    const silent = await connect();
    await assert.rejects(silent.use("porthole_expose", { port, access: "public" }), /can't ask.*--allow/s);
    for (const input of [{}, { port: 0 }, { port: "80" }, { port, access: "open" }, { port, token: "x" }])
      await assert.rejects(silent.use("porthole_expose", input), /port has|access has|no argument/);
    await assert.rejects(silent.use("porthole_steal"), /no tool/);
    await assert.rejects(silent.use("porthole_list_requests"), /No port is exposed/);
    assert.equal(relay.counts().clients, 0);
  });

  it("exposes, shows requests without their secrets, waits for one, replays it, and stops", async () => {
    const { use, questions, client } = await connect("accept");
    const tunnel = await exposed(use("porthole_expose", { port, access: "public" }));
    assert.deepEqual(questions, [`Expose port ${port} to the internet? Anyone with the URL can visit.`]);
    const [url = ""] = tunnel.urls;
    assert.equal(await visit(url, { path: "/first?token=t0ken" }), 200);

    const waiting = use("porthole_wait_for_request", { filter: "method:POST path:/hook", seconds: 60 });
    await until(async () => {
      // Nobody can see from outside when it waits; others do not count.
      await visit(url, { path: "/hook", method: "POST", body: '{"event":"paid"}' });
      return Promise.race([waiting.then(() => true), new Promise<boolean>((resolve) => setImmediate(resolve, false))]);
    }, "the request has come");
    const { request: found } = JSON.parse(await waiting) as {
      readonly request: {
        readonly id: string;
        readonly request: { readonly headers: readonly string[]; readonly body: { readonly text: string } };
      };
    };
    assert.match(found.request.body.text, /"event": ?"paid"/);
    assert.ok(found.request.headers.includes("authorization: Bearer <redacted>"), found.request.headers.join());

    const listed = await use("porthole_list_requests", { filter: "path:/first" });
    const whole = await use("porthole_get_request", { request: found.id, tunnel: tunnel.id });
    for (const said of [listed, whole]) assert.ok(!/t0ken|s3cret/.test(said), said);
    assert.equal((JSON.parse(listed) as { readonly requests: readonly object[] }).requests.length, 1);
    const before = asked.length;
    const replayed = JSON.parse(await use("porthole_replay", { request: found.id })) as { readonly replayOf: string };
    assert.equal(replayed.replayOf, found.id);
    assert.deepEqual(asked.slice(before), ['POST /hook {"event":"paid"}']);
    await assert.rejects(use("porthole_get_request", { request: "none" }), /none|request/);

    assert.deepEqual(JSON.parse(await use("porthole_stop")), { stopped: tunnel.id });
    assert.deepEqual(JSON.parse(await use("porthole_list")), { tunnels: [] });
    await client.close();
    await until(() => relay.counts().clients === 0, "nothing is left");
  });

  it("lets in only by a link unless asked for more, and never returns that link", async () => {
    const { use, client } = await connect(undefined, "--allow", String(port));
    const tunnel = await exposed(use("porthole_expose", { port }));
    const [url = ""] = tunnel.urls;
    assert.match(tunnel.access, /share link/);
    assert.equal(await visit(url), 401);
    const shared = await runCli(scope, "client", ["share", "--tunnel", tunnel.id, "--state-dir", stateDir, "--json"]);
    assert.equal(shared.code, 0, shared.stderr);
    const [link = ""] = (JSON.parse(shared.stdout) as { readonly urls: readonly string[] }).urls;
    const { pathname, search } = new URL(link);
    assert.notEqual(await visit(url, { path: pathname + search }), 401);
    const secret = (pathname + search).slice(-20);
    for (const said of [await use("porthole_list"), await use("porthole_list_requests")])
      assert.ok(!said.includes(secret), said);
    assert.deepEqual(await exposed(use("porthole_expose", { port, access: "public" })), tunnel, "it stays as it is");
    assert.equal(await visit(url), 401);
    // It ends with its input, and so do its tunnels.
    await client.close();
    await until(() => relay.counts().clients === 0, "nothing is left");
  });

  it("works in the client that runs, and takes along only its own tunnels when it ends", async () => {
    const main = await startHttp(scope, (_request, response) => response.end("main"));
    const running = startCli(scope, "client", [String(main.port), ...options()]);
    await running.line(/online at/);
    const { use, client } = await connect("accept");
    const tunnels = async (): Promise<number> =>
      (JSON.parse(await use("porthole_list")) as { readonly tunnels: readonly object[] }).tunnels.length;
    assert.equal(await tunnels(), 1);
    await use("porthole_expose", { port });
    assert.equal(await tunnels(), 2);
    await assert.rejects(use("porthole_list_requests"), /Several ports are exposed.*main/s);
    assert.match(await use("porthole_list_requests", { tunnel: "main" }), /"requests": \[\]/);
    await client.close();
    await until(async () => {
      const { stdout } = await runCli(scope, "client", ["ls", "--state-dir", stateDir, "--json"]);
      return (JSON.parse(stdout) as readonly object[]).length === 1;
    }, "its tunnel is gone");
    assert.equal((await running.kill("SIGINT")).code, 0);
  });
});
