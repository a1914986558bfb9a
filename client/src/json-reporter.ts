import { withFlags } from "@porthole/common/options";
import { visibleJson } from "@porthole/common/util";
import type { Reporter } from "./reporter.ts";

/** One JSON object a line: `event` is state, visit, request or log, `tunnel` the name of the tunnel that it is about. */
export function createJsonReporter(write: (text: string) => void): Reporter {
  const print = (event: string, fields: object): void =>
    write(`${visibleJson({ time: new Date().toISOString(), event, ...fields })}\n`);
  return {
    onState: (tunnel, state) => print("state", { tunnel, ...state }),
    onVisit: (tunnel, visit) => print("visit", { tunnel, ...visit }),
    onRequest: (tunnel, request) => print("request", { tunnel, ...request }),
    onLog({ level, message, fields }) {
      if (level !== "debug") print("log", { level, message: withFlags(message), ...fields, ...hintOf(fields) });
    },
    close: () => {},
  };
}

function hintOf(fields: object | undefined): { readonly hint?: string } {
  return fields && "hint" in fields && typeof fields.hint === "string" ? { hint: withFlags(fields.hint) } : {};
}
