export { formatInvite, parseInvite, type Invite } from "./invite.ts";
