import { PortholeError } from "@porthole/common/errors";
import { systemClock } from "@porthole/common/util";
import { callTool } from "@porthole/tunnel/assistant";
import { takeStdio } from "@porthole/tunnel/rpc/daemon";
import { serveUntilLeft, toolServer } from "./tool-server.ts";

/**
 * `porthole mcp` as a part of the editor's extension: the tunnels are those of the window, whose extension host runs the tools and asks
 * the user. The folder of its socket is the only argument. Ends with its input.
 */

const [folder = ""] = process.argv.slice(2);
const streams = takeStdio();
const server = toolServer((name, input, signal) => callTool({ name, input }, { folder, clock: systemClock }, signal));
try {
  await serveUntilLeft(server, streams, new AbortController().signal);
  await server.close();
} catch (reason) {
  process.stderr.write(`${PortholeError.from(reason).message}\n`);
  process.exitCode = 1;
}
streams.input.destroy();
