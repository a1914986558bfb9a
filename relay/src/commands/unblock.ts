import { PortholeError } from "@porthole/common/errors";
import { parseIp } from "@porthole/common/protocol";
import { admissionOptions, stateDirOf } from "./admission-options.ts";
import { defineCommand } from "./command.ts";
import { askRelay } from "./control.ts";

/** Lifts a penalty of --max-penalty before its time. */
export const unblock = defineCommand({
  usage: "unblock ADDRESS",
  help: "Let an address in again that is kept out",
  example: "porthole-relay unblock 203.0.113.7",
  options: admissionOptions,
  maxPositionals: 1,
  async run(values, [given]) {
    // Any address of a network, as status shows it, does.
    const address = given?.replace(/\/\d+$/, "");
    if (address === undefined || !parseIp(address))
      throw new PortholeError("usage", "porthole-relay unblock needs an address", {
        hint: "porthole-relay status shows which are kept out.",
      });
    const { wasHeld } = await askRelay<{ readonly wasHeld: boolean }>(stateDirOf(values), "unblock", address);
    const text = wasHeld ? `Clients from ${given} may come again.\n` : `${given} was not kept out.\n`;
    process.stdout.write(values.json ? `${JSON.stringify({ wasHeld })}\n` : text);
    return 0;
  },
});
