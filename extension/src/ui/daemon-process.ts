import { spawn } from "node:child_process";
import { env, ExtensionMode, type ExtensionContext, type LogOutputChannel } from "vscode";
import { PortholeError } from "@porthole/common/errors";
import { connectDaemon, rpcVersion } from "@porthole/tunnel/rpc";
import { systemClock, withDeadline } from "@porthole/common/util";
import { daemonEnvironment, debugArguments, type RunningDaemon } from "../controller/index.ts";
import { editorProxy } from "./editor-proxy.ts";

const initializeTimeoutMs = 20_000;
/** For its visitors' orderly end. */
const endTimeoutMs = 20_000;
/** How much is kept of what it prints beside the protocol: the last words of a process that dies. */
const keptOutputChars = 2_000;

/**
 * Starts the process that runs the tunnels: the editor's own Node, with nothing secret on its command line. It ends when its input does,
 * which the window's end is.
 */
export async function startDaemonProcess(
  context: Pick<ExtensionContext, "asAbsolutePath" | "extensionMode" | "globalStorageUri">,
  log: LogOutputChannel,
  ownerPem: string,
  signal: AbortSignal,
): Promise<RunningDaemon> {
  const entry = context.asAbsolutePath("dist/extension/daemon.mjs");
  const isDevelopment = context.extensionMode === ExtensionMode.Development;
  const debugging = debugArguments(isDevelopment, process.env["PORTHOLE_DAEMON_INSPECT"]);
  const child = spawn(process.execPath, [...debugging, entry], {
    stdio: ["pipe", "pipe", "pipe"],
    env: daemonEnvironment(process.env, editorProxy()),
    windowsHide: true,
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-keptOutputChars);
    log.debug(`tunnel process: ${text.trimEnd()}`);
  });
  const gone = new Promise<PortholeError>((resolve) => {
    child.once("error", (cause) =>
      resolve(new PortholeError("internal", `The tunnel process can't be started: ${cause.message}`, { cause })),
    );
    child.once("exit", (code, killedBy) => {
      if (code !== 0 || said !== "") log.warn(`The tunnel process has ended with ${killedBy ?? code}. ${said.trim()}`);
      resolve(new PortholeError("closed", `The tunnel process has ended with ${killedBy ?? code}`));
    });
  });
  // What is written to a process that has just died; its end says it all.
  child.stdin.on("error", () => {});
  const connection = connectDaemon({ input: child.stdout, output: child.stdin });
  let died: PortholeError | undefined;
  void gone.then((reason) => {
    died = reason;
    connection.close();
  });
  try {
    const deadline = { clock: systemClock, delayMs: initializeTimeoutMs, what: "The tunnel process's start", signal };
    const info = await withDeadline(deadline, (within) =>
      connection.call(
        "initialize",
        {
          rpcVersion,
          client: { name: "vscode", version: env.appName === "" ? "unknown" : env.appName },
          stateDir: context.globalStorageUri.fsPath,
          owner: { pem: ownerPem },
          logLevel: "info",
        },
        { signal: within },
      ),
    );
    log.info(
      `The tunnel process runs (pid ${child.pid}, Node ${info.node}, ${info.quic.available ? "QUIC" : `no QUIC: ${info.quic.reason}`})`,
    );
    const close = (): void => {
      connection.close();
      const late = systemClock.timer(endTimeoutMs, () => child.kill("SIGKILL"));
      void gone.then(() => late.cancel());
    };
    return { connection: { ...bound(connection), close, closed: gone }, info, pid: child.pid };
  } catch (reason) {
    connection.close();
    child.kill();
    throw died ?? reason;
  }
}

/** The connection is over when the process is, not when its input is closed. */
function bound(connection: ReturnType<typeof connectDaemon>) {
  return { call: connection.call.bind(connection), on: connection.on.bind(connection) };
}
