export { JoinedRelays, type JoinedRelay } from "./joined-relays.ts";
export { formatInvite, parseInvite, type Invite } from "./invite.ts";
