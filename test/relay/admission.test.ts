import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import {
  get,
  runCli,
  settled,
  siteAt,
  soon,
  startCli,
  startHttp,
  useScope,
  type Output,
  type Running,
} from "@porthole/testing/end-to-end";
import { refused, startInvitingRelay, type InvitingRelay } from "./invites.ts";

describe("Who may connect", function () {
  this.timeout(120_000);
  const scope = useScope();
  let { relay, relayDir, invite, joined } = {} as InvitingRelay;

  beforeEach(async () => {
    ({ relay, relayDir, invite, joined } = await startInvitingRelay(scope));
  });

  it("a client that joins by an invite, from then on without it and without --server", async () => {
    const service = await startHttp(scope, (_request, response) => response.end("hello"));
    const stateDir = await scope.folder();
    const { porthole } = await invite();
    const joined = await runCli(scope, "client", ["join", porthole, "--state-dir", stateDir]);
    assert.equal(joined.code, 0, joined.stderr);
    assert.match(joined.stdout, /^127\.0\.0\.1:\d+ is remembered/);
    const path = join(stateDir, "joined-relays.json");
    assert.ok((await readFile(path, "utf8")).includes("token"));
    for (let run = 1; run <= 2; run++) {
      const client = startCli(scope, "client", [String(service.port), "--state-dir", stateDir]);
      const url = (await client.line(/^URL: /)).slice(5);
      await client.line(/^online/);
      assert.equal(await get(siteAt(url, join(stateDir, "primary-self-signed.pem"))), "hello");
      assert.equal((await client.kill("SIGTERM")).code, 0);
      assert.ok(!(await readFile(path, "utf8")).includes("token"));
    }
    const { stdout } = await runCli(scope, "client", ["relays", "--state-dir", stateDir]);
    assert.equal(stdout, `127.0.0.1:${relay.apiPort}`);
    const removed = await runCli(scope, "client", ["relays", "remove", stdout, "--state-dir", stateDir]);
    assert.equal(removed.code, 0, removed.stderr);
    const without = await runCli(scope, "client", ["3000", "--state-dir", stateDir]);
    assert.equal(without.code, 2);
    assert.match(without.stderr, /It takes a relay[\s\S]*porthole join/);
  });

  it("with the editor's link as well, and with a second endpoint", async () => {
    const stateDir = await scope.folder();
    const { vscode } = await invite();
    await runCli(scope, "client", ["join", vscode, "--state-dir", stateDir]);
    const client = startCli(scope, "client", ["3000", "--secondary-local", "3001", "--state-dir", stateDir]);
    await client.line(/^online/);
    await client.line(/^Secondary online/);
    assert.equal((await client.kill("SIGTERM")).code, 0);
  });

  describe("not", () => {
    afterEach(() => settled(relay));

    it("a stranger", async () => {
      const server = ["--server", `127.0.0.1:${relay.apiPort}`, "--server-fingerprint", relay.fingerprint];
      refused(
        await runCli(scope, "client", [...server, "--state-dir", await scope.folder()]),
        /does not know the client id/,
      );
    });

    it("who guesses a token", async () => {
      const { porthole } = await invite();
      const guess = porthole.slice(0, -4) + (porthole.endsWith("aaaa") ? "bbbb" : "aaaa");
      refused(await join3000(guess), /does not know the invite/);
    });

    it("who comes with a token that was used", async () => {
      const { porthole } = await invite();
      const first = startCli(scope, "client", await joined(porthole));
      await first.line(/^online/);
      refused(await join3000(porthole), /the invite was used already/);
      await first.kill("SIGTERM");
    });

    it("who comes too late", async () => {
      const { id, porthole } = await invite();
      const path = join(relayDir, "admission.json");
      const enrollments = JSON.parse(await readFile(path, "utf8")) as {
        invites: Record<string, { expiresAt: number }>;
      };
      (enrollments.invites[id] as { expiresAt: number }).expiresAt = Date.now() - 1;
      await writeFile(path, JSON.stringify(enrollments));
      refused(await join3000(porthole), /the invite has expired on/);
    });

    it("with an invite that was taken back", async () => {
      const { id, porthole } = await invite();
      const revoked = await runCli(scope, "relay", ["invite", "revoke", id, "--state-dir", relayDir]);
      assert.equal(revoked.code, 0, revoked.stderr);
      refused(await join3000(porthole), /does not know the invite/);
    });

    it("more than one of two who come with one token at once", async () => {
      const { porthole } = await invite();
      const argvs = [await joined(porthole), await joined(porthole)];
      const clients = argvs.map((argv) => startCli(scope, "client", argv));
      const outcomes = await Promise.all(clients.map((client) => outcome(client)));
      assert.deepEqual(new Set(outcomes), new Set([3, "online"]));
      for (const client of clients) if (client.child.exitCode === null) await client.kill("SIGTERM");
    });

    it("who was revoked: disconnected at once, and kept out", async () => {
      const argv = await joined((await invite()).porthole);
      const client = startCli(scope, "client", argv);
      const id = (await client.line(/^ID: /)).slice(4);
      await client.line(/^online/);
      const keys = await runCli(scope, "relay", ["keys", "list", "--state-dir", relayDir]);
      assert.match(keys.stdout, new RegExp(`^${id} +joined `));
      const revoked = await runCli(scope, "relay", ["keys", "revoke", id, "--state-dir", relayDir]);
      assert.equal(revoked.code, 0, revoked.stderr);
      assert.equal((await soon(client.exited, "the end of the client")).code, 3);
      await settled(relay);
      refused(await runCli(scope, "client", argv), /does not know the client id/);
    });
  });

  it("by invites that were made at the same time, one of them after a command that was killed", async () => {
    const dead = { id: "x", pid: 2 ** 22 + 1, host: hostname(), count: 0 };
    await writeFile(join(relayDir, "admission.json.lock"), JSON.stringify(dead));
    const made = await Promise.all(Array.from({ length: 3 }, () => invite()));
    assert.equal(new Set(made.map(({ id }) => id)).size, 3);
    const { stdout } = await runCli(scope, "relay", ["invite", "list", "--state-dir", relayDir]);
    for (const { id } of made) assert.ok(stdout.includes(id), stdout);
  });

  async function join3000(link: string): Promise<Output> {
    return runCli(scope, "client", await joined(link));
  }
});

/** Its exit status, or that it is online. */
function outcome(client: Running): Promise<number | null | "online"> {
  const online = client.line(/^online/).then(() => "online" as const);
  online.catch(() => {});
  return Promise.race([online, client.exited.then(({ code }) => code)]);
}
