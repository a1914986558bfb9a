export { formatBundle, isBundle, parseBundle, type Bundle, type BundledIdentity } from "./bundle.ts";
export { JoinedRelays, type JoinedRelay } from "./joined-relays.ts";
export { formatInvite, parseInvite, type Invite } from "./invite.ts";
