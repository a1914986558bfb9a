export { socketPath, type ControlPlace } from "./control-place.ts";
export {
  connectControlSocket,
  openControlSocket,
  type ControlSocket,
  type ControlSocketOptions,
} from "./control-socket.ts";
