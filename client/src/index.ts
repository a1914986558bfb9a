export { tunnelSettings, type ClientValues } from "./config.ts";
export { createDialers } from "@porthole/tunnel/dialers";
export { openVisitorPolicy, type VisitorPolicy } from "./visitor-policy.ts";
export { createJsonReporter } from "./json-reporter.ts";
export { clientOptions } from "./options.ts";
export type { Reporter } from "./reporter.ts";
export { createTextReporter } from "./text-reporter.ts";
