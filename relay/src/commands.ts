import type { Command } from "./command.ts";
import { disconnect } from "./commands/disconnect.ts";
import { doctor } from "./commands/doctor.ts";
import { invite } from "./commands/invite.ts";
import { keys } from "./commands/keys.ts";
import { names } from "./commands/names.ts";
import { setup } from "./commands/setup.ts";
import { status } from "./commands/status.ts";

/** By the first argument. Without one of these the program is the relay itself. */
export const commands: Readonly<Record<string, Command>> = { setup, doctor, invite, keys, names, status, disconnect };
