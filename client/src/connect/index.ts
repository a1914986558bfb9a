export { connect, connectOptions } from "./command.ts";
