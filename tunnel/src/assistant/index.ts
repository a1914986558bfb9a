export type { AssistantHost, AssistantTunnel, ExposeRequest } from "./host.ts";
export { assistantTools, type AssistantTool, type ToolContext } from "./tools.ts";
export { callTool, serveTools, type RunTool } from "./tool-socket.ts";
export { inputSchema, readInput, type Fields, type InputSchema } from "./fields.ts";
