import type { Command } from "./command.ts";
import { status } from "./commands/status.ts";

/** By the first argument. Without one of these the program is the relay itself. */
export const commands: Readonly<Record<string, Command>> = { status };
