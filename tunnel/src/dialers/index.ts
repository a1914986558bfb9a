export { createDialers } from "./dialers.ts";
export { proxyOption, type ProxyChoice } from "./proxy.ts";
