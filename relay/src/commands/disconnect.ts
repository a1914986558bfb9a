import { PortholeError } from "@porthole/common/errors";
import { parseKey } from "../admission/index.ts";
import { defineCommand } from "./command.ts";
import { admissionOptions, stateDirOf } from "./admission-options.ts";
import { askRelay } from "./control.ts";

/** Ends what a client has running; the lists and the webhook decide whether it may come back. */
export const disconnect = defineCommand({
  usage: "disconnect ID",
  help: "End a client's links; it may come back while it is admitted",
  example: "porthole-relay disconnect to6q4gtpfzzijwmeavzvwthpid",
  options: admissionOptions,
  maxPositionals: 1,
  async run(values, [id]) {
    if (id === undefined)
      throw new PortholeError("usage", "porthole-relay disconnect needs to know whom", {
        hint: "porthole-relay disconnect CLIENT-ID. porthole-relay status shows who is connected.",
      });
    const key = parseKey(id);
    const { links } = await askRelay<{ readonly links: number }>(stateDirOf(values), "disconnect", key);
    if (links === 0)
      throw new PortholeError("usage", `No client ${key} is connected`, {
        hint: "porthole-relay status shows who is.",
      });
    const text = `${links === 1 ? "1 link" : `${links} links`} of ${key} ended. It comes back if it is let in.\n`;
    process.stdout.write(values.json ? `${JSON.stringify({ links })}\n` : text);
    return 0;
  },
});
