import assert from "node:assert/strict";
import { PortholeError } from "@porthole/common/errors";
import { generateKey, delegate, type IdentityKey } from "@porthole/common/identity";
import { parseInvite } from "@porthole/common/invite";
import { dialLink, hello, runCli, soon, startCli, useScope } from "@porthole/testing/end-to-end";
import { refused, startInvitingRelay, type InvitingRelay } from "./invites.ts";

describe("The name of who was invited", function () {
  this.timeout(120_000);
  const scope = useScope();
  let { relay, relayDir, invite, joined } = {} as InvitingRelay;

  beforeEach(async () => {
    ({ relay, relayDir, invite, joined } = await startInvitingRelay(scope));
  });

  it("is a friendly one, until it is taken back", async () => {
    const { porthole } = await invite(2);
    const argv = [...(await joined(porthole)), "--name", "MyApp"];
    const client = startCli(scope, "client", argv);
    assert.equal(await client.line(/^URL: /), `URL: https://myapp.t.example.com:${relay.publicPort}`);
    const other = await runCli(scope, "client", [...(await joined(porthole)), "--name", "myapp"]);
    refused(other, /the name myapp belongs to another key/);
    const released = await runCli(scope, "relay", ["names", "release", "myapp", "--state-dir", relayDir]);
    assert.equal(released.code, 0, released.stderr);
    assert.equal((await soon(client.exited, "the end of the client")).code, 3);
    const names = await runCli(scope, "relay", ["names", "list", "--state-dir", relayDir]);
    assert.match(names.stdout, /^myapp +[a-z2-7]{26} +released, free for others on \d{4}-\d\d-\d\d$/);
    // Only who had it last gets it before that day.
    const back = startCli(scope, "client", argv);
    await back.line(/^online/);
    await back.kill("SIGTERM");
  });

  it("has its share of the certificates for new names: a third at most, whatever the number of keys that one vouches for", async () => {
    async function join(): Promise<(key: IdentityKey) => Promise<string | undefined>> {
      const owner = generateKey();
      const token = parseInvite((await invite()).porthole).token.reveal();
      return async (key) => {
        const link = await dialLink(scope, relay, "http2", key);
        link.control.send({ ...hello, token, delegation: delegate(owner, key.fingerprint) });
        assert.equal((await link.control.next())?.type, "welcome");
        link.control.send({ type: "issuance-request", hostname: `${key.clientId}.t.example.com` });
        const answer = await link.control.next();
        assert.equal(answer?.type, "issuance");
        if (answer.code !== undefined) assert.ok((answer.retryAfterMs ?? 0) > 10 * 3_600_000);
        await link.close(new PortholeError("closed", "It has what it came for"));
        return answer.message;
      };
    }
    const [greedy, modest] = [await join(), await join()];
    const first = generateKey();
    assert.equal(await greedy(first), undefined);
    for (let i = 1; i < 15; i++) assert.equal(await greedy(generateKey()), undefined);
    assert.match((await greedy(generateKey())) ?? "", /^Your share of the new names/);
    assert.equal(await greedy(first), undefined);
    assert.equal(await modest(generateKey()), undefined);
  });
});
