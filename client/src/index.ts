export { nameTargets, parseTarget } from "./targets.ts";
export { tunnelSpec, tunnelSpecs } from "./config.ts";
export { createDialers } from "@porthole/tunnel/dialers";
export { createJsonReporter } from "./json-reporter.ts";
export { clientOptions, type ClientValues } from "./options.ts";
export type { Reporter } from "./reporter.ts";
export { tunnelsAreOver } from "./tunnels-are-over.ts";
export { stopController } from "./stop-signals.ts";
export { createTextReporter } from "./text-reporter.ts";
