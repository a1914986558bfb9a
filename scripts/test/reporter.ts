import type { ChildProcess } from "node:child_process";
import type { Server, Socket } from "node:net";
import Mocha from "mocha";
import { skipReason } from "@porthole/testing/skip";
import type { TestEvent } from "./events.ts";

/** A process that has nothing left to do ends by itself; one that a test has left something in does not. */
const lingerMs = Number(process.env["PORTHOLE_TEST_LINGER_MS"] ?? 30_000);

/** Mocha's list of tests. It also reports to the parent process what happens, and what tests have left open. */
export default class Reporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const { constants } = Mocha.Runner;
    runner.on(constants.EVENT_TEST_BEGIN, (test) => tell({ type: "started", title: test.fullTitle() }));
    runner.on(constants.EVENT_HOOK_BEGIN, (hook) => tell({ type: "started", title: hook.fullTitle() }));
    runner.on(constants.EVENT_TEST_PASS, (test) =>
      tell({ type: "passed", title: test.fullTitle(), durationMs: test.duration ?? 0 }),
    );
    runner.on(constants.EVENT_TEST_FAIL, (test, reason: unknown) =>
      tell({ type: "failed", title: test.fullTitle(), detail: describe(reason) }),
    );
    runner.on(constants.EVENT_TEST_PENDING, (test) =>
      tell({ type: "skipped", title: test.fullTitle(), reason: skipReason(test) }),
    );
    runner.on(constants.EVENT_RUN_END, () => {
      tell({ type: "ended" });
      setTimeout(giveUp, lingerMs).unref();
    });
  }
}

function tell(event: TestEvent): void {
  process.send?.(event);
}

function describe(reason: unknown): string {
  return reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
}

function giveUp(): void {
  tell({ type: "leaked", handles: [...process.getActiveResourcesInfo(), ...describeHandles()] });
  process.exit(1);
}

/** Names are not enough to find who left a socket open; where it leads is. Node has no public way to ask. */
function describeHandles(): string[] {
  const { _getActiveHandles: handles } = process as NodeJS.Process & { readonly _getActiveHandles?: () => unknown[] };
  return (handles?.call(process) ?? []).flatMap((handle) => {
    const { spawnargs, pid } = handle as Partial<ChildProcess>;
    if (spawnargs) return [`process ${pid}: ${spawnargs.join(" ")}`];
    const { localAddress, localPort, remoteAddress, remotePort } = handle as Partial<Socket>;
    if (localPort) return [`socket ${localAddress}:${localPort} to ${remoteAddress}:${remotePort}`];
    const address = (handle as Partial<Server>).address?.();
    return address && typeof address === "object" && "port" in address ? [`listening on port ${address.port}`] : [];
  });
}
