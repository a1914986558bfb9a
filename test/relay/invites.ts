import assert from "node:assert/strict";
import type { Relay } from "@porthole/relay";
import { runCli, startTestRelay, type Output, type Scope } from "@porthole/testing/end-to-end";

interface Invite {
  readonly id: string;
  readonly porthole: string;
  readonly vscode: string;
}

/** A relay that lets in by invites, for names under `t.example.com`, with the commands of its host and of its guests. */
export interface InvitingRelay {
  readonly relay: Relay;
  readonly relayDir: string;
  invite(uses?: number): Promise<Invite>;
  /** Returns the arguments of a client that has joined with a state folder of its own. */
  joined(link: string): Promise<string[]>;
}

export async function startInvitingRelay(scope: Scope): Promise<InvitingRelay> {
  const relayDir = await scope.folder();
  const relay = await startTestRelay(scope, { args: ["--domain-suffix", "t.example.com", "--state-dir", relayDir] });
  return {
    ...{ relay, relayDir },
    async invite(uses = 1) {
      const address = ["--address", `127.0.0.1:${relay.apiPort}`];
      const argv = ["invite", "--uses", String(uses), ...address, "--state-dir", relayDir, "--json"];
      const { code, stdout, stderr } = await runCli(scope, "relay", argv);
      assert.equal(code, 0, stderr);
      return JSON.parse(stdout) as Invite;
    },
    async joined(link) {
      const stateDir = await scope.folder();
      const { code, stderr } = await runCli(scope, "client", ["join", link, "--state-dir", stateDir]);
      assert.equal(code, 0, stderr);
      return ["3000", "--state-dir", stateDir];
    },
  };
}

/** The client ended because the relay refused it. */
export function refused({ code, stderr }: Output, why: RegExp): void {
  assert.equal(code, 3, stderr);
  assert.match(stderr, why);
}
