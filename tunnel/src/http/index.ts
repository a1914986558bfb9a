export * from "./body.ts";
export type * from "./exchange.ts";
export * from "./raw-headers.ts";
export type { RequestReport } from "./reports.ts";
