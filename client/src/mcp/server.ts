import type { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { PortholeError } from "@porthole/common/errors";
import { systemClock } from "@porthole/common/util";
import { assistantTools } from "@porthole/tunnel/assistant";
import type { ClientValues } from "../options.ts";
import { ClientHost, type AskUser } from "./client-host.ts";
import { McpClient } from "./own-client.ts";
import { serveUntilLeft, toolServer, type ToolStreams } from "./tool-server.ts";

export interface McpOptions {
  readonly values: ClientValues;
  /** Ports that may be exposed without a question. */
  readonly allow: readonly number[];
  readonly streams: ToolStreams;
}

/** A person reads the question first. The library's own limit is a minute. */
const answerMs = 10 * 60_000;

/** Serves the Model Context Protocol until the other end leaves or the signal aborts. Ends what it has started. */
export async function serveMcp({ values, allow, streams }: McpOptions, signal: AbortSignal): Promise<void> {
  const client = new McpClient(values);
  const server = toolServer(async (name, input, cancelled) => {
    const tool = assistantTools.find((each) => each.name === name);
    if (!tool) throw new PortholeError("usage", `There is no tool ${JSON.stringify(name)}`);
    return tool.run(input, { host, clock: systemClock, signal: AbortSignal.any([signal, cancelled]) });
  });
  const host = new ClientHost(client, values, askUser(server, allow));
  await serveUntilLeft(server, streams, signal);
  await client.close();
  await server.close();
}

/** Asks by the protocol's own means, where the program at the other end has them. */
function askUser(server: Server, allow: readonly number[]): AskUser {
  return async (question, { port }, signal) => {
    if (allow.includes(port)) return;
    if (!server.getClientCapabilities()?.elicitation)
      throw new PortholeError("usage", `The user has to allow port ${port}, and this program can't ask`, {
        hint: `Start the server with --allow ${port}, or expose the port yourself: porthole ${port}.`,
      });
    const requestedSchema = { type: "object" as const, properties: {} };
    const { action } = await server.elicitInput({ message: question, requestedSchema }, { signal, timeout: answerMs });
    if (action !== "accept") throw new PortholeError("aborted", `The user does not want port ${port} to be exposed`);
  };
}
