import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { attachToClient, readyUrl, type TunnelStateView } from "@porthole/tunnel/rpc";
import { systemClock } from "@porthole/common/util";
import { buildPrograms } from "@porthole/testing/built-programs";
import {
  get,
  isFull,
  npmPackage,
  settled,
  siteAt,
  start,
  startHttp,
  startTestRelay,
  until,
  useScope,
} from "@porthole/testing/end-to-end";

/** What came after Node 18.20, of what a program of ours could come to call: it is taken away. */
const newer = `
  // First: Node's own modules call some of the rest while they load.
  for (const [name, method] of [
    ["node:tls", "getCACertificates"], ["node:crypto", "hash"], ["node:module", "enableCompileCache"],
    ["node:http2", "performServerHandshake"], ["node:util", "styleText"], ["node:fs/promises", "glob"], ["node:process", "getBuiltinModule"],
  ]) delete process.getBuiltinModule?.(name)?.[method];
  for (const name of ["toSorted", "toReversed", "toSpliced", "with"]) delete Array.prototype[name];
  for (const name of ["isWellFormed", "toWellFormed"]) delete String.prototype[name];
  for (const name of ["union", "intersection", "difference", "isSubsetOf"]) delete Set.prototype[name];
  for (const name of ["withResolvers", "try"]) delete Promise[name];
  for (const [type, name] of [[Object, "groupBy"], [Map, "groupBy"], [Array, "fromAsync"], [RegExp, "escape"]]) delete type[name];
  for (const name of ["Iterator", "WebSocket", "EventSource", "Navigator", "CloseEvent"]) delete globalThis[name];
  delete Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())).map;
`;

describe("the program for a Node inside an app", function () {
  this.timeout(180_000);
  const scope = useScope();

  it("is one file, which asks for nothing but Node's own modules", async () => {
    const text = await readFile((await buildPrograms()).embedded, "utf8");
    const asked = [...text.matchAll(/\brequire\d*\("([^"\n]+)"\)|\b(?:from ?|import ?\()"([\w@:/.-]+)"/g)].map(
      ([, required, imported]) => required ?? imported ?? "",
    );
    const since20 = ["sea", "sqlite", "test", "test/reporters"];
    assert.ok(asked.includes("node:http2"), asked.join());
    for (const name of asked) {
      const plain = name.replace(/^node:/, "");
      assert.ok(isBuiltin(name) && !since20.includes(plain), name);
    }
    assert.ok(!text.includes("@matrixai"));
  });

  it("serves an app by its socket, with nothing that came after Node 18", async () => {
    const folder = await scope.folder();
    await writeFile(join(folder, "newer.mjs"), newer);
    await serves(process.execPath, ["--import", join(folder, "newer.mjs")]);
  });

  if (isFull)
    it("does so on Node 18", async () => {
      const node = join(await npmPackage("node", "18.20.8"), "bin", "node");
      await serves(node, []);
    });

  async function serves(node: string, args: readonly string[]): Promise<void> {
    const [service, relay] = await Promise.all([
      startHttp(scope, (_request, response) => response.end("hello, phone")),
      startTestRelay(scope),
    ]);
    const stateDir = join(await scope.folder(), "files", "porthole");
    const program = start(scope, node, [...args, (await buildPrograms()).embedded, stateDir], { env: {} });
    await program.line(/^porthole: ready$/);
    const attach = async () => {
      const app = await attachToClient({ stateDir, clock: systemClock, client: { name: "app", version: "1" } });
      assert.ok(app);
      return app;
    };
    let app = await attach();
    await app.call("tunnel/start", {
      id: "phone",
      relays: [{ address: `127.0.0.1:${relay.apiPort}`, fingerprint: relay.fingerprint }],
      primary: { identity: { path: join(stateDir, "tunnels", "phone.pem") }, local: service.local },
      inspect: {},
    });
    let state: TunnelStateView = { endpoints: [] };
    await until(
      async () => {
        state = (await app.call("tunnel/list", {})).tunnels[0]?.state ?? state;
        return readyUrl(state, false) !== undefined;
      },
      () => `the tunnel is online: ${JSON.stringify(state)}`,
    );
    const [endpoint] = state.endpoints;
    const now = endpoint?.relays[0]?.now;
    assert.ok(endpoint && now?.status === "online");
    assert.equal(now.transport, "http2");
    const site = siteAt(endpoint.urls[0] ?? "", join(stateDir, "self-signed", `${endpoint.clientId}.pem`));
    assert.equal(await get(site), "hello, phone");
    // The app's screen goes and comes back; the tunnel stays.
    app.close();
    app = await attach();
    assert.equal(await get(site), "hello, phone");
    const { exchanges } = await app.call("inspect/list", { tunnel: "phone" });
    assert.equal(exchanges.length, 2);
    const [newest] = exchanges;
    await app.call("inspect/replay", { tunnel: "phone", id: newest?.id ?? "" });
    await app.call("shutdown", {});
    app.close();
    const { code } = await program.exited;
    assert.equal(code, 0, program.errors.join("\n"));
    assert.deepEqual(program.errors, []);
    assert.ok(!existsSync(join(stateDir, "client.sock")));
    await settled(relay);
  }
});
