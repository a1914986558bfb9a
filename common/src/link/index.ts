export { dialFaultTexts } from "./dial-errors.ts";
export { createLink } from "./link.ts";
export { splice, type SpliceEnd } from "../util/splice.ts";
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
