export { dialFaultTexts } from "./dial-errors.ts";
export { createLink, type LinkOptions } from "./link.ts";
export { splice, type SpliceEnd } from "../util/splice.ts";
export type { ControlChannel, SessionMessage } from "./control-channel.ts";
export type {
  TransportConnection,
  TransportStream,
  Link,
  LinkKind,
  LinkStream,
  PeerTrust,
  RemoteAddress,
} from "./types.ts";
export { limits as linkLimits } from "./limits.ts";
