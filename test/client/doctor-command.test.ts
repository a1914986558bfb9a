import assert from "node:assert/strict";
import { generateKey } from "@porthole/common/identity";
import { freePort, runCli, settled, startCli, startHttp, startTestRelay, useScope } from "@porthole/testing/end-to-end";

interface Report {
  readonly running: boolean;
  readonly endpoints: readonly { readonly role: string; readonly checks: readonly { id: string; status: string }[] }[];
}

describe("porthole doctor", function () {
  this.timeout(120_000);
  const scope = useScope();

  async function place() {
    const [service, relay] = await Promise.all([
      startHttp(scope, (_request, response) => response.end("hello")),
      startTestRelay(scope),
    ]);
    const common = ["--server", `127.0.0.1:${relay.apiPort}`, "--state-dir", await scope.folder()];
    return { relay, service, common };
  }

  it("finds nothing wrong, neither before a client runs nor while it does, and ends with 0", async () => {
    const { relay, service, common } = await place();
    const argv = [String(service.port), ...common];
    const before = await runCli(scope, "client", ["doctor", ...argv]);
    assert.equal(before.code, 0, before.stdout + before.stderr);
    assert.match(before.stdout, /^No client runs[\s\S]*^✓ local-port [\s\S]*^✓ whole-path .*status 200/m);
    await settled(relay);
    const client = startCli(scope, "client", argv);
    await client.line(/^online/);
    // Its own options, not these: the state folder says which client.
    const during = await runCli(scope, "client", ["doctor", "--json", ...common.slice(2)]);
    assert.equal(during.code, 0, during.stdout + during.stderr);
    const { running, endpoints } = JSON.parse(during.stdout) as Report;
    assert.equal(running, true);
    assert.deepEqual(
      endpoints.map(({ role }) => role),
      ["primary"],
    );
    assert.equal(endpoints[0]?.checks.at(-1)?.status, "ok");
    assert.match(during.stdout, /"whole-path"/);
    assert.equal((await client.kill("SIGINT")).code, 0);
  });

  it("names the closed local port and what to do, and ends with 1", async () => {
    const { common } = await place();
    const argv = ["doctor", String(await freePort()), ...common];
    const { code, stdout } = await runCli(scope, "client", argv);
    assert.equal(code, 1, stdout);
    assert.match(stdout, /^✗ local-port .*[\s\S]*^- whole-path [\s\S]*^Mend first: local-port\n.*\n.*Start the local/m);
  });

  it("names the wrong pin, and skips what depends on it", async () => {
    const { service, common } = await place();
    const pin = ["--server-fingerprint", generateKey().fingerprint];
    const { code, stdout } = await runCli(scope, "client", ["doctor", String(service.port), ...common, ...pin]);
    assert.equal(code, 1, stdout);
    assert.match(stdout, /^✗ relay-trust .*[\s\S]*^- relay-admission [\s\S]*^Mend first: relay-trust/m);
  });

  it("looks at the secondary endpoint, too", async () => {
    const { service, common } = await place();
    const argv = ["doctor", String(service.port), "--secondary-local", String(service.port), "--json", ...common];
    const { code, stdout } = await runCli(scope, "client", argv);
    assert.equal(code, 0, stdout);
    const { endpoints } = JSON.parse(stdout) as Report;
    assert.deepEqual(
      endpoints.map(({ role }) => role),
      ["primary", "secondary"],
    );
  });

  it("calls wrong options wrong", async () => {
    const { code, stderr } = await runCli(scope, "client", ["doctor", "--state-dir", await scope.folder()]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /--server/);
  });
});
