import type { Successor } from "@porthole/common/util";

const variable = "PORTHOLE_SUCCESSOR";
const successorLivesMs = 60_000;

/**
 * How this command continues when the watchdog has to end it: the same again, over HTTP/2, without the terminal's keyboard. Undefined
 * where a service manager or a container starts it again.
 */
export function successorOf({
  pid,
  ppid,
  env,
  execPath,
  execArgv,
  argv,
}: Pick<NodeJS.Process, "pid" | "ppid" | "env" | "execPath" | "execArgv" | "argv">): Successor | undefined {
  const isSuccessor = env[variable] !== undefined;
  delete env[variable];
  const isService = pid === 1 || env["SYSTEMD_EXEC_PID"] === String(pid);
  // With an `init` of its own the container ends with this process.
  const isInContainer = ppid === 1 && env["container"] !== undefined;
  if (isService || isInContainer) return undefined;
  return {
    command: execPath,
    args: [...execArgv, ...argv.slice(1)],
    env: { [variable]: "1" },
    afterMs: isSuccessor ? successorLivesMs : 0,
    words:
      "Porthole continues in the background, without this QUIC. porthole ls shows its tunnels, and porthole stop ends them.\n",
  };
}
