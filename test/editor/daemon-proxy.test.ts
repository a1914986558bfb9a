import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { daemonEnvironment, type EditorProxy } from "../../extension/src/controller/daemon-environment.ts";
import {
  startDaemonProcess,
  startProxy,
  startTestRelay,
  useScope,
  type DaemonProcess,
} from "@porthole/testing/end-to-end";

describe("The extension's process with the tunnels behind an HTTP proxy", function () {
  this.timeout(120_000);
  const scope = useScope();
  const main = join(import.meta.dirname, "../../extension/src/daemon/main.ts");

  /** A relay, and its address under a name that nobody but a proxy knows. */
  async function startRelay(): Promise<{ readonly address: string; readonly fingerprint: string }> {
    const { apiPort, fingerprint } = await startTestRelay(scope);
    return { address: `relay.test:${apiPort}`, fingerprint };
  }

  /** As the extension starts it: `own` is the editor's environment. */
  function startDaemon(
    relay: { readonly address: string; readonly fingerprint?: string },
    own: Readonly<Record<string, string>>,
    settings: Partial<EditorProxy>,
  ): Promise<DaemonProcess> {
    const env = daemonEnvironment({ PATH: process.env["PATH"], ...own }, { proxy: "", noProxy: [], ...settings });
    return startDaemonProcess(scope, { argv: [main], env, relay });
  }

  it("uses the editor's settings, and shows their password nowhere", async () => {
    const [relay, proxy] = await Promise.all([startRelay(), startProxy(scope, "user:s3cret word")]);
    const settings = { proxy: proxy.url("user:s3cret%20word"), noProxy: ["other.test"] };
    const daemon = await startDaemon(relay, {}, settings);
    assert.equal((await daemon.relay("online")).transport, "http2");
    assert.deepEqual([...new Set(proxy.targets)], [relay.address]);
    await daemon.shutDown();
    assert.doesNotMatch(daemon.seen(), /s3cret/);
  });

  it("uses the editor's settings before HTTPS_PROXY of the environment", async () => {
    const [relay, proxy, other] = await Promise.all([startRelay(), startProxy(scope), startProxy(scope)]);
    const daemon = await startDaemon(relay, { https_proxy: other.url() }, { proxy: proxy.url() });
    await daemon.relay("online");
    assert.deepEqual([[...new Set(proxy.targets)], other.targets], [[relay.address], []]);
    await daemon.shutDown();
  });

  it("uses PORTHOLE_PROXY before the settings", async () => {
    const [relay, proxy, other] = await Promise.all([startRelay(), startProxy(scope), startProxy(scope)]);
    const daemon = await startDaemon(relay, { PORTHOLE_PROXY: proxy.url() }, { proxy: other.url() });
    await daemon.relay("online");
    assert.deepEqual([[...new Set(proxy.targets)], other.targets], [[relay.address], []]);
    await daemon.shutDown();
  });

  it("goes straight to what the settings except", async () => {
    const [relay, proxy] = await Promise.all([startRelay(), startProxy(scope)]);
    const daemon = await startDaemon(relay, { HTTPS_PROXY: proxy.url() }, { noProxy: [".test"] });
    assert.equal((await daemon.relay("waiting")).error.code, "unreachable");
    assert.deepEqual(proxy.targets, []);
    await daemon.shutDown();
  });

  it("says what to do about a password that the proxy wants", async () => {
    const [relay, proxy] = await Promise.all([startRelay(), startProxy(scope, "user:s3cret")]);
    const daemon = await startDaemon(relay, {}, { proxy: proxy.url() });
    const { error } = await daemon.relay("failed");
    assert.match(`${error.message}. ${error.hint}`, /wants a user name and password.*http\.proxy/);
    await daemon.shutDown();
  });

  it("says what to do about a proxy of another kind, and shows no password", async () => {
    const daemon = await startDaemon({ address: "relay.test" }, {}, { proxy: "socks5://user:s3cret@127.0.0.1:1" });
    const { error } = await daemon.relay("failed");
    assert.match(`${error.message}. ${error.hint}`, /not the address of an HTTP proxy.*http\.proxy/);
    await daemon.shutDown();
    assert.doesNotMatch(daemon.seen(), /s3cret/);
  });

  it("ends with what is wrong with PORTHOLE_PROXY", async () => {
    const env = { ...process.env, PORTHOLE_PROXY: "socks5://user:s3cret@127.0.0.1:1" };
    const child = spawn(process.execPath, ["--conditions=source", main], { env });
    scope.defer(() => child.kill("SIGKILL"));
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, "exit")]);
    const expected = "PORTHOLE_PROXY: expected a proxy like http://proxy.example.com:3128, or direct\n";
    assert.deepEqual([said, code], [expected, 2]);
  });
});
