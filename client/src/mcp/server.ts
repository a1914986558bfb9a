import type { Readable, Writable } from "node:stream";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { CallToolRequestSchema, ListToolsRequestSchema, type CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import { PortholeError } from "@porthole/common/errors";
import { withFlags } from "@porthole/common/options";
import { systemClock } from "@porthole/common/util";
import { version } from "@porthole/common/version";
import { assistantTools } from "@porthole/tunnel/assistant";
import type { ClientValues } from "../options.ts";
import { ClientHost, type AskUser } from "./client-host.ts";
import { McpClient } from "./own-client.ts";

export interface McpOptions {
  readonly values: ClientValues;
  /** Ports that may be exposed without a question. */
  readonly allow: readonly number[];
  /** Taken as ours: the streams stay their owner's. */
  readonly streams: { readonly input: Readable; readonly output: Writable };
}

/** A person reads the question first. The library's own limit is a minute. */
const answerMs = 10 * 60_000;

const instructions =
  "Porthole exposes ports of this machine to the internet and records the requests of visitors. Exposing a port asks the user.";

/** Serves the Model Context Protocol until the other end leaves or the signal aborts. Ends what it has started. */
export async function serveMcp({ values, allow, streams }: McpOptions, signal: AbortSignal): Promise<void> {
  // The high-level class takes schemas of one library only; the tools have plain JSON Schema.
  const server = new Server({ name: "porthole", version }, { capabilities: { tools: {} }, instructions });
  const client = new McpClient(values);
  const host = new ClientHost(client, values, askUser(server, allow));
  server.setRequestHandler(ListToolsRequestSchema, async () => ({
    tools: assistantTools.map(({ name, title, description, inputSchema, isReadOnly }) => ({
      ...{ name, title, description, inputSchema },
      annotations: { title, readOnlyHint: isReadOnly },
    })),
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal: cancelled }) => {
    const tool = assistantTools.find(({ name }) => name === params.name);
    if (!tool) return failed(new PortholeError("usage", `There is no tool ${JSON.stringify(params.name)}`));
    try {
      const within = AbortSignal.any([signal, cancelled]);
      const text = await tool.run(params.arguments, { host, clock: systemClock, signal: within });
      return { content: [{ type: "text", text }] };
    } catch (reason) {
      return failed(PortholeError.from(reason));
    }
  });
  const left = new Promise<void>((resolve) => {
    Object.assign(server, { onclose: resolve });
    streams.input.once("end", resolve).once("close", resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await server.connect(new StdioServerTransport(streams.input, streams.output));
  await left;
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

function failed({ message, hint }: PortholeError): CallToolResult {
  const next = hint === undefined ? "" : ` ${withFlags(hint)}`;
  return { content: [{ type: "text", text: `${message}.${next}` }], isError: true };
}
