import { ban } from "./ban.ts";
import { cluster } from "./cluster.ts";
import { clients } from "./clients.ts";
import type { Command } from "./command.ts";
import { disconnect } from "./disconnect.ts";
import { doctor } from "./doctor.ts";
import { events } from "./events.ts";
import { invite } from "./invite.ts";
import { keys } from "./keys.ts";
import { names } from "./names.ts";
import { showNodeKey } from "./node-key.ts";
import { setup } from "./setup.ts";
import { status } from "./status.ts";
import { unblock } from "./unblock.ts";

/** Commands by the first argument. Without one of these the program is the relay itself. */
export const commands: Readonly<Record<string, Command>> = {
  ...{ setup, doctor, status, clients, events },
  ...{ invite, keys, names },
  ...{ disconnect, ban, unblock },
  ...{ cluster, "node-key": showNodeKey },
};
