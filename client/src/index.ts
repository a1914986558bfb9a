export { tunnelSpec, type ClientValues } from "./config.ts";
export { createDialers } from "@porthole/tunnel/dialers";
export { createJsonReporter } from "./json-reporter.ts";
export { clientOptions } from "./options.ts";
export type { Reporter } from "./reporter.ts";
export { mainTunnelIsOver } from "./run.ts";
export { createTextReporter } from "./text-reporter.ts";
