export { socketPath } from "./control-place.ts";
export { connectControlSocket, openControlSocket, type ControlSocket } from "./control-socket.ts";
