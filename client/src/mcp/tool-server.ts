import type { Readable, Writable } from "node:stream";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { CallToolRequestSchema, ListToolsRequestSchema, type CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import { PortholeError } from "@porthole/common/errors";
import { withFlags } from "@porthole/common/options";
import { version } from "@porthole/common/version";
import { assistantTools, type RunTool } from "@porthole/tunnel/assistant";

export interface ToolStreams {
  readonly input: Readable;
  readonly output: Writable;
}

const instructions =
  "Porthole exposes ports of this machine to the internet and records the requests of visitors. Exposing a port asks the user.";

/** The tools as a server of the Model Context Protocol; `run` does what they do. */
export function toolServer(run: RunTool): Server {
  // The high-level class takes schemas of one library only; the tools have plain JSON Schema.
  const server = new Server({ name: "porthole", version }, { capabilities: { tools: {} }, instructions });
  server.setRequestHandler(ListToolsRequestSchema, async () => ({
    tools: assistantTools.map(({ name, title, description, inputSchema, isReadOnly }) => ({
      ...{ name, title, description, inputSchema },
      annotations: { title, readOnlyHint: isReadOnly },
    })),
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal }) => {
    try {
      return { content: [{ type: "text", text: await run(params.name, params.arguments, signal) }] };
    } catch (reason) {
      return failed(PortholeError.from(reason));
    }
  });
  return server;
}

/** Serves until the other end leaves or the signal aborts. The streams stay their owner's. */
export async function serveUntilLeft(
  server: Server,
  { input, output }: ToolStreams,
  signal: AbortSignal,
): Promise<void> {
  const left = new Promise<void>((resolve) => {
    Object.assign(server, { onclose: resolve });
    input.once("end", resolve).once("close", resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await server.connect(new StdioServerTransport(input, output));
  await left;
}

function failed({ message, hint }: PortholeError): CallToolResult {
  const next = hint === undefined ? "" : ` ${withFlags(hint)}`;
  return { content: [{ type: "text", text: `${message}.${next}` }], isError: true };
}
