import assert from "node:assert/strict";
import { cp, readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import {
  isFull,
  needProgram,
  programFile,
  runCli,
  settled,
  start,
  startTestRelay,
  useScope,
  type Scope,
} from "@porthole/testing/end-to-end";

const project = join(import.meta.dirname, "../../clients/kotlin");

/** Maven fetches 90 MB the first time, and nothing later: every version is pinned. */
if (isFull)
  describe("the client for Kotlin", function () {
    this.timeout(600_000);
    const scope = useScope();

    it("passes its own tests, against a relay and the command line's daemon", async function () {
      needProgram(this, "mvn");
      needProgram(this, "java");
      const relay = await startTestRelay(scope);
      const inviting = await startInvitingRelay(scope);
      const folder = await scope.folder();
      await cp(project, folder, { recursive: true, filter: (path) => !path.endsWith("/target") });
      const { PATH, JAVA_HOME } = process.env;
      const maven = start(
        scope,
        "mvn",
        ["--batch-mode", "--quiet", `-Dmaven.repo.local=${join(homedir(), ".cache/porthole-test/maven")}`, "test"],
        {
          cwd: folder,
          env: {
            ...{ PATH, HOME: homedir(), ...(JAVA_HOME === undefined ? {} : { JAVA_HOME }) },
            PORTHOLE_TEST: JSON.stringify({
              command: [process.execPath, "--conditions=source", programFile("client")],
              ...{ relay: `127.0.0.1:${relay.apiPort}`, fingerprint: relay.fingerprint },
              ...{ invite: inviting.invite, invitingRelay: inviting.spec },
            }),
          },
        },
      );
      const { code } = await maven.exited;
      const said = [...maven.lines, ...maven.errors].join("\n");
      assert.equal(code, 0, said);
      const report = await readFile(join(folder, "target/surefire-reports/TEST-io.porthole.PortholeTest.xml"), "utf8");
      assert.match(report, /<testsuite [^>]*tests="8" errors="0" skipped="0" failures="0"/);
      await settled(relay);
      await settled(inviting.relay);
    });
  });

/** A relay that lets nobody in but by the invite. */
async function startInvitingRelay(scope: Scope) {
  const stateDir = await scope.folder();
  const keys = join(stateDir, "keys.txt");
  await writeFile(keys, "# nobody\n");
  const relay = await startTestRelay(scope, { args: ["--state-dir", stateDir, "--authorized-keys", keys] });
  const spec = { address: `127.0.0.1:${relay.apiPort}`, fingerprint: relay.fingerprint };
  const made = await runCli(scope, "relay", ["invite", "--address", spec.address, "--state-dir", stateDir, "--json"]);
  assert.equal(made.code, 0, made.stderr);
  const { porthole: invite } = JSON.parse(made.stdout) as { readonly porthole: string };
  return { relay, spec, invite };
}
