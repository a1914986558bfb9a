import { execFile } from "node:child_process";
import { userInfo } from "node:os";
import { promisify } from "node:util";
import { listLinuxPorts } from "./linux.ts";
import { uniquePorts, type ListeningPort } from "./listening.ts";
import { lsofArgs, parseLsof } from "./macos.ts";
import { parsePowershell, powershellScript } from "./windows.ts";

export { readAddress, readPortArgument, readPortNumber, type Side } from "./port-argument.ts";
export { dialHost, isPortTarget, localOf, portViewForms, type PortTarget } from "./port-target.ts";
export { parseAddress, type ParsedAddress } from "./address.ts";
export { isInside, portChoices, typedTarget, type KnownPort, type PortChoice } from "./choices.ts";
export type { ListeningPort } from "./listening.ts";

const timeoutMs = 10_000;
const run = promisify(execFile);

/** The ports that this user's programs listen on. Rejects where the system's own tool fails. */
export async function listListeningPorts(signal: AbortSignal): Promise<readonly ListeningPort[]> {
  return uniquePorts(await listPorts(signal));
}

async function listPorts(signal: AbortSignal): Promise<ListeningPort[]> {
  const { uid } = userInfo();
  const options = { signal, timeout: timeoutMs, maxBuffer: 8 * 1024 * 1024, windowsHide: true };
  switch (process.platform) {
    case "linux":
      return listLinuxPorts(uid);
    case "win32": {
      const args = ["-NoProfile", "-NonInteractive", "-Command", powershellScript];
      return parsePowershell((await run("powershell.exe", args, options)).stdout);
    }
    default: {
      const args = lsofArgs.map((each) => (each === "" ? String(uid) : each));
      // Status 1 says that nothing was found.
      const { stdout } = await run("lsof", args, options).catch((reason: { stdout?: string; code?: unknown }) => {
        if (reason.code === 1) return { stdout: reason.stdout ?? "" };
        throw reason;
      });
      return parseLsof(stdout);
    }
  }
}
