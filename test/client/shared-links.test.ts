import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateKey, type IdentityKey } from "@porthole/common/identity";
import type { Relay } from "@porthole/relay";
import { createDialers } from "@porthole/tunnel/dialers";
import type { TunnelStateView } from "@porthole/tunnel/rpc";
import { openRuntime, type Runtime } from "@porthole/tunnel/rpc/daemon";
import {
  get,
  overEachTransport,
  runCli,
  siteAt,
  startHttp,
  startTestRelay,
  until,
  useScope,
  type Transport,
} from "@porthole/testing/end-to-end";

const names = ["web", "api", "hook"] as const;
type Name = (typeof names)[number];

const makeKeys = (): Record<Name, IdentityKey> => ({ web: generateKey(), api: generateKey(), hook: generateKey() });

describe("tunnels that share their links", function () {
  this.timeout(60_000);
  const scope = useScope();

  /** A client program with a key for each name, and one that relays know its owner by. */
  async function startProgram(keys = makeKeys()) {
    const [stateDir, owner] = [await scope.folder(), generateKey()];
    const runtime: Runtime = await openRuntime({
      ...{ stateDir, owner: { pem: owner.pem }, dialers: createDialers(), software: "test", clock: scope.clock },
    });
    scope.defer(() => runtime.close());
    const { signal } = new AbortController();
    const states = new Map<string, TunnelStateView>();
    runtime.subscribe({
      state: ({ id, state }) => void states.set(id, state),
      ...{ visit: () => {}, request: () => {}, inspect: () => {}, log: () => {} },
    });
    const stateOf = (name: Name) => states.get(name)?.endpoints[0];
    return {
      owner,
      keys,
      stateOf,
      errorOf: (name: Name) => states.get(name)?.ended?.error,
      async start(name: Name, relay: Relay, transport: Transport, key = keys[name]) {
        const { port } = await startHttp(scope, (_request, response) => response.end(name));
        await runtime.handlers["tunnel/start"](
          {
            id: name,
            primary: { identity: { pem: key.pem }, local: `http://127.0.0.1:${port}` },
            relays: [{ address: `127.0.0.1:${relay.apiPort}`, fingerprint: relay.fingerprint }],
            transport: transport === "quic" ? "quic" : "h2",
            poolSize: 2,
            acme: { enabled: false },
          },
          { signal },
        );
      },
      stop: (name: Name) => runtime.handlers["tunnel/stop"]({ id: name }, { signal }),
      async online(...all: readonly Name[]) {
        await until(
          () => all.every((name) => stateOf(name)?.relays[0]?.now.status === "online"),
          () => `${all.join()} are online: ${JSON.stringify(all.map((name) => stateOf(name)?.relays))}`,
        );
      },
      /** What a visitor gets to see. */
      visit(name: Name) {
        const path = join(stateDir, "self-signed", `${keys[name].clientId}.pem`);
        return get(siteAt(stateOf(name)?.urls[0] ?? "", path));
      },
    };
  }

  /** The links that lead to each client, as the operator sees them. */
  function linksOf(relay: Relay): Record<string, readonly string[]> {
    const { clients } = relay.report();
    return Object.fromEntries(clients.map(({ client, links }) => [client, links.map(({ link }) => link).toSorted()]));
  }

  overEachTransport((transport) => {
    const poolSize = transport === "quic" ? 1 : 2;

    it("have those of one client, come and go one by one, and are all back when the relay is", async () => {
      const stateDir = await scope.folder();
      const args = ["--open", "--state-dir", stateDir];
      const relay = await startTestRelay(scope, { args });
      const program = await startProgram();
      for (const name of names) await program.start(name, relay, transport);
      await program.online(...names);
      await until(() => relay.counts().links === poolSize, "the pool is up");
      assert.deepEqual(await Promise.all(names.map((name) => program.visit(name))), names);
      const links = linksOf(relay);
      assert.deepEqual(Object.keys(links).toSorted(), names.map((name) => program.keys[name].clientId).toSorted());
      assert.equal(new Set(Object.values(links).map((each) => each.join())).size, 1);
      assert.equal(new Set(names.map((name) => program.stateOf(name)?.urls[0])).size, 3);
      await program.stop("web");
      assert.equal(relay.counts().clients, 2);
      assert.equal(relay.counts().links, poolSize);
      assert.deepEqual([await program.visit("api"), await program.visit("hook")], ["api", "hook"]);
      await program.start("web", relay, transport);
      await program.online("web");
      assert.equal(await program.visit("web"), "web");
      const ports = ["--api-port", String(relay.apiPort), "--pub-port", String(relay.publicPort)];
      await relay.close();
      await until(() => names.every((name) => program.stateOf(name)?.relays[0]?.now.status === "waiting"), "all wait");
      const again = await startTestRelay(scope, { args: [...args, ...ports] });
      await program.online(...names);
      await until(() => again.counts().links === poolSize, "the pool is up again");
      assert.deepEqual(await Promise.all(names.map((name) => program.visit(name))), names);
      for (const name of names) await program.stop(name);
      await until(() => again.counts().links === 0, "the last one closes the links");
    });

    it("lose one that is banned, and all with their owner", async () => {
      const stateDir = await scope.folder();
      const relay = await startTestRelay(scope, { args: ["--open", "--state-dir", stateDir] });
      const ban = async (key: IdentityKey): Promise<void> => {
        const { code, stderr } = await runCli(scope, "relay", ["ban", key.clientId, "--state-dir", stateDir]);
        assert.equal(code, 0, stderr);
      };
      const program = await startProgram();
      for (const name of names) await program.start(name, relay, transport);
      await program.online(...names);
      await ban(program.keys.api);
      await until(() => program.errorOf("api") !== undefined, "the banned one is over");
      assert.equal(program.errorOf("api")?.code, "unauthorized");
      assert.deepEqual([await program.visit("web"), await program.visit("hook")], ["web", "hook"]);
      assert.ok(relay.counts().links > 0);
      await ban(program.owner);
      await until(() => relay.counts().links === 0, "nothing of the owner is left");
      for (const name of ["web", "hook"] as const) {
        await until(() => program.errorOf(name) !== undefined, "its tunnels are over");
        assert.equal(program.errorOf(name)?.code, "unauthorized");
      }
    });

    it("have links of their own where the relay knows their keys, and not the owner's", async () => {
      const list = join(await scope.folder(), "keys");
      const keys = makeKeys();
      await writeFile(list, `${keys.web.clientId}\n${keys.api.fingerprint}\n`);
      const relay = await startTestRelay(scope, { args: ["--authorized-keys", list] });
      const program = await startProgram(keys);
      for (const name of names) await program.start(name, relay, transport);
      await program.online("web", "api");
      await until(() => relay.counts().links === 2 * poolSize, "each has its own");
      assert.deepEqual([await program.visit("web"), await program.visit("api")], ["web", "api"]);
      await until(() => program.errorOf("hook") !== undefined, "the third is refused");
      assert.equal(program.errorOf("hook")?.code, "unauthorized");
    });
  });

  it("are as many as the relay takes over one link, and the name of the owner's own key comes with it", async () => {
    const relay = await startTestRelay(scope, { args: ["--open"] });
    const program = await startProgram();
    await program.start("web", relay, "http2", program.owner);
    await program.start("api", relay, "http2");
    await program.online("web", "api");
    await until(() => relay.counts().links === 2, "one pool");
    await program.stop("web");
    // A link that came up in the meantime had the name for a moment.
    await until(() => relay.counts().clients === 1, "the name is gone");
    assert.deepEqual(Object.keys(linksOf(relay)), [program.keys.api.clientId]);
    assert.equal(await program.visit("api"), "api");
    await program.start("web", relay, "http2", program.owner);
    await program.online("web");
    assert.deepEqual(relay.counts().clients, 2);
    assert.equal(relay.counts().links, 2);
  });
});
