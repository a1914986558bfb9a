export { Account } from "./account.ts";
export { Usage } from "./usage.ts";
