export { config, configOptions, down, downOptions, init, initOptions, up, upOptions } from "./commands.ts";
