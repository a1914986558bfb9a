export type { ControlPlace } from "./control-place.ts";
export {
  askControlSocket,
  followControlSocket,
  openControlSocket,
  type ControlHandler,
  type ControlSocket,
  type ControlSocketOptions,
} from "./control-socket.ts";
